"""Several updates by our optimizers and by TensorFlow 1's, on the same gradients."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from pipeline.config.optimizers import Optimizer, by_name
from pipeline.train import exponential_decay
from pipeline.train.optimizer import build_optimizer

UPDATES = 12
RANDOM = np.random.default_rng(0)
START = {"a": RANDOM.normal(size=(3, 2)), "b": RANDOM.normal(size=4)}
GRADIENTS = [{name: RANDOM.normal(size=value.shape) for name, value in START.items()}
             for _ in range(UPDATES)]
SCHEDULE = exponential_decay(0.3, 3, 0.9)


def ours(config: Optimizer, scale: float = 1.0) -> dict[str, np.ndarray]:
    optimizer = build_optimizer(config, SCHEDULE)
    params: Any = {name: jnp.asarray(value, jnp.float32) for name, value in START.items()}
    state = optimizer.init(params)
    for gradient in GRADIENTS:
        scaled = {name: jnp.asarray(value * scale, jnp.float32) for name, value in gradient.items()}
        changes, state = optimizer.update(scaled, state, params)
        params = optax.apply_updates(params, changes)
    return {name: np.asarray(value) for name, value in params.items()}


def theirs(
    tf1: ModuleType, build: Callable[[Any], Any], scale: float = 1.0
) -> dict[str, np.ndarray]:
    with tf1.variable_scope("", use_resource=False):
        variables = {
            name: tf1.get_variable(name, initializer=value.astype(np.float32))
            for name, value in START.items()
        }
        step = tf1.train.get_or_create_global_step()
    fed = {name: tf1.placeholder("float32", value.shape) for name, value in START.items()}
    rate = tf1.train.exponential_decay(0.3, step, 3, 0.9)
    update = build(rate).apply_gradients(
        [(fed[name], variables[name]) for name in variables], global_step=step
    )
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        for gradient in GRADIENTS:
            session.run(update, {fed[name]: value * scale for name, value in gradient.items()})
        return {name: session.run(value) for name, value in variables.items()}


def assert_same(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float
) -> None:
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=tolerance, atol=tolerance)


def test_sgd_is_gradient_descent(tf1_graph: ModuleType) -> None:
    config = by_name("sgd", learning_rate=0.3)
    assert_same(ours(config), theirs(tf1_graph, tf1_graph.train.GradientDescentOptimizer), 2e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_tensorflow_s(tf1_graph: ModuleType, nesterov: bool) -> None:
    config = by_name("momentum", learning_rate=0.3, momentum=0.8, nesterov=nesterov)
    expected = theirs(
        tf1_graph, lambda rate: tf1_graph.train.MomentumOptimizer(rate, 0.8, use_nesterov=nesterov)
    )
    assert_same(ours(config), expected, 1e-5)


def adam(epsilon: float) -> Optimizer:
    return by_name(
        "adam", learning_rate=0.3, beta1=0.8, beta2=0.99, epsilon=epsilon
    )


def test_adam_is_tensorflow_s_where_epsilon_is_small(tf1_graph: ModuleType) -> None:
    expected = theirs(
        tf1_graph, lambda rate: tf1_graph.train.AdamOptimizer(rate, 0.8, 0.99, 1e-8)
    )
    assert_same(ours(adam(1e-8)), expected, 1e-5)


def test_adam_s_epsilon_means_another_thing_in_tensorflow(tf1_graph: ModuleType) -> None:
    """TF1's is the paper's ε̂: it is compared with √v before the bias is corrected.

    So after t updates it acts as optax's ε / √(1 - β₂ᵗ) would: 10 times as large at β₂ = 0.99 and
    t = 1. It shows only where gradients are as small as ε: here both are 1e-3.
    """
    expected = theirs(
        tf1_graph, lambda rate: tf1_graph.train.AdamOptimizer(rate, 0.8, 0.99, 1e-3), scale=1e-3
    )
    params = {name: value.astype(np.float32) for name, value in START.items()}
    first = {name: np.zeros_like(value) for name, value in params.items()}
    second = {name: np.zeros_like(value) for name, value in params.items()}
    apart = ours(adam(1e-3), scale=1e-3)
    for updates, gradient in enumerate(GRADIENTS, start=1):
        rate = float(SCHEDULE(updates - 1))
        correction = np.sqrt(1 - 0.99**updates)
        for name, value in gradient.items():
            first[name] += 0.2 * (value * 1e-3 - first[name])
            second[name] += 0.01 * ((value * 1e-3) ** 2 - second[name])
            size = np.sqrt(second[name]) / correction + 1e-3 / correction
            params[name] -= rate * first[name] / (1 - 0.8**updates) / size
    assert_same(params, expected, 1e-4)
    largest = max(float(np.abs(apart[name] - expected[name]).max()) for name in expected)
    assert largest > 0.1, "if the two epsilons have become one, say so in the documentation"


def test_adamw_decays_weights_apart_from_the_gradient() -> None:
    """Loshchilov and Hutter's AdamW: the decay is scaled by the learning rate alone."""
    plain = ours(adam(1e-8))
    weightless = by_name(
        "adamw", learning_rate=0.3, beta1=0.8, beta2=0.99, weight_decay=0.0
    )
    assert_same(ours(weightless), plain, 0.0)
    optimizer = build_optimizer(
        by_name("adamw", learning_rate=0.3, weight_decay=0.1), lambda step: 0.3
    )
    params = {"a": jnp.array([2.0, -4.0])}
    changes, _ = optimizer.update({"a": jnp.zeros(2)}, optimizer.init(params), params)
    np.testing.assert_allclose(changes["a"], [-0.06, 0.12], rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adamw"])
def test_the_whole_gradient_is_clipped_first(tf1_graph: ModuleType, name: str) -> None:
    """`tf.clip_by_global_norm`, over all variables at once."""
    config = by_name(name, learning_rate=0.3, clip_norm=0.5)
    clipped = build_optimizer(config, SCHEDULE)
    config.clip_norm = None
    plain = build_optimizer(config, SCHEDULE)
    gradient = {key: jnp.asarray(value, jnp.float32) for key, value in GRADIENTS[0].items()}
    params = jax.tree.map(jnp.zeros_like, gradient)
    with tf1_graph.Session() as session:
        scaled, norm = session.run(
            tf1_graph.clip_by_global_norm([gradient["a"], gradient["b"]], 0.5)
        )
    assert norm > 0.5
    by_tensorflow = dict(zip(["a", "b"], map(jnp.asarray, scaled), strict=True))
    found, _ = clipped.update(gradient, clipped.init(params), params)
    expected, _ = plain.update(by_tensorflow, plain.init(params), params)
    assert_same(found, expected, 1e-6)


def test_a_small_gradient_is_not_clipped() -> None:
    clipped = build_optimizer(
        by_name("sgd", learning_rate=1.0, clip_norm=100.0), lambda step: 1.0
    )
    gradient = {"a": jnp.array([3.0, 4.0])}
    found, _ = clipped.update(gradient, clipped.init(gradient), gradient)
    np.testing.assert_array_equal(found["a"], [-3.0, -4.0])
