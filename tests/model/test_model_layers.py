"""Each layer against TensorFlow's own ops, in inference and in training."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import scopes
from pipeline.config.model import (
    Activate,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
)
from pipeline.model.layers import LAYERS
from pipeline.model.parts import ACTIVATIONS

RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.normal(size=(3, 7, 6, 4)).astype(np.float32)


def run(layer: Any, x: Any, training: bool = False, **given: Any) -> Any:
    """(result, updates, values) of a layer with random variables, or with those given."""
    scoped = scopes.transform(lambda x: LAYERS[type(layer)](layer, x, training))
    values = {
        name: RANDOM.uniform(0.5, 1.5, spec.shape).astype(np.float32)
        for name, spec in scoped.specs(x).items()
    } | given
    result, updates = scoped.apply(values, x, key=jax.random.key(0))
    return result, updates, values


def close(found: Any, expected: Any, rtol: float = 1e-5) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("x", [IMAGES, IMAGES[:, 0, 0]])
def test_dense(x: Any, tf: ModuleType) -> None:
    found, _, v = run(Dense(kind="dense", units=5, activation="relu"), x)
    rows = tf.reshape(x, [3, -1])
    close(found, tf.nn.relu(tf.nn.bias_add(tf.matmul(rows, v["weights"]), v["biases"])))
    _, _, v = run(Dense(kind="dense", units=5, use_bias=False), x)
    assert list(v) == ["weights"]


CONVOLUTIONS = list(itertools.product([1, [3, 2], 4], [1, 2, [2, 3]], ["SAME", "VALID"]))


@pytest.mark.parametrize(("kernel", "strides", "padding"), CONVOLUTIONS)
def test_conv(kernel: Any, strides: Any, padding: Any, tf: ModuleType) -> None:
    layer = Conv(kind="conv", filters=5, kernel_size=kernel, strides=strides, padding=padding)
    found, _, v = run(layer, IMAGES)
    both = [strides, strides] if isinstance(strides, int) else strides
    close(found, tf.nn.conv2d(IMAGES, v["weights"], both, padding) + v["biases"], 1e-4)


POOLS = list(itertools.product([2, 3, [3, 2]], [None, 1, [1, 2]], ["SAME", "VALID"]))


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
@pytest.mark.parametrize(("size", "strides", "padding"), POOLS)
def test_pool(kind: Any, size: Any, strides: Any, padding: Any, tf: ModuleType) -> None:
    found, _, _ = run(Pool(kind=kind, size=size, strides=strides, padding=padding), IMAGES)
    theirs = tf.nn.max_pool2d if kind == "max_pool" else tf.nn.avg_pool2d
    close(found, theirs(IMAGES, size, size if strides is None else strides, padding))


def test_batch_norm(tf: ModuleType) -> None:
    layer = BatchNorm(kind="batch_norm", decay=0.9, epsilon=1e-3, activation="relu")
    found, updates, v = run(layer, IMAGES)
    normal = tf.nn.batch_normalization(
        IMAGES, v["moving_mean"], v["moving_variance"], v["beta"], v["gamma"], 1e-3)
    close(found, tf.nn.relu(normal))
    assert updates == {}
    found, updates, v = run(layer, IMAGES, training=True)
    mean, variance = tf.nn.moments(IMAGES, [0, 1, 2])
    normal = tf.nn.batch_normalization(IMAGES, mean, variance, v["beta"], v["gamma"], 1e-3)
    close(found, tf.nn.relu(normal))
    close(updates["moving_mean"], 0.9 * v["moving_mean"] + 0.1 * mean.numpy())
    close(updates["moving_variance"], 0.9 * v["moving_variance"] + 0.1 * variance.numpy())


def test_batch_norm_in_half_precision_keeps_its_variables_in_single() -> None:
    layer = BatchNorm(kind="batch_norm")
    found, _, v = run(layer, IMAGES.astype(jnp.bfloat16))
    assert found.dtype == jnp.bfloat16
    assert {str(value.dtype) for value in v.values()} == {"float32"}


def test_dropout() -> None:
    layer, ones = Dropout(kind="dropout", rate=0.25), np.ones((100, 100), np.float32)
    assert run(layer, ones)[0] is ones or (run(layer, ones)[0] == ones).all()
    dropped, _, _ = run(layer, ones, training=True)
    assert set(np.unique(dropped)) == {np.float32(0.0), np.float32(4.0 / 3.0)}
    assert abs((dropped == 0).mean() - 0.25) < 0.02
    never, _, _ = run(Dropout(kind="dropout", rate=0.0), ones, training=True)
    assert (never == ones).all()


def test_shapes_only() -> None:
    close(run(GlobalPool(kind="global_avg_pool"), IMAGES)[0], IMAGES.mean((1, 2)))
    close(run(Flatten(kind="flatten"), IMAGES)[0], IMAGES.reshape(3, -1))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: Any, tf: ModuleType) -> None:
    x = np.linspace(-8.0, 8.0, 101, dtype=np.float32)
    theirs = {
        "identity": lambda x: x, "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.01),
        "gelu": lambda x: tf.nn.gelu(x, approximate=True), "tanh": tf.tanh,
    }.get(name) or getattr(tf.nn, name)
    close(run(Activate(kind="activation", function=name), x)[0], theirs(x))
