"""One step: loss, penalties, averages and statistics, each against TensorFlow or its formula."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import configured, digits

from pipeline import model
from pipeline.config import Config
from pipeline.train import TrainState, build_step, cross_entropy
from pipeline.train.optimizer import build_optimizer
from pipeline.train.state import init_state

SMALL = ("optimizer=sgd", "model.scopes.layer1.units=6", "trainer.batch_size=20")
BATCHES = [np.arange(start, start + 20) for start in range(0, 200, 20)]


def trained(config: Config, steps: int) -> list[TrainState]:
    """The states before and after each of the first steps, one compiled step at a time."""
    network = model.build(config.model)
    schedule = config.schedule.build(config.optimizer.learning_rate, 100)
    optimizer = build_optimizer(config.optimizer, schedule)
    step = jax.jit(build_step(network, optimizer, config.trainer))
    states = [init_state(network, optimizer, config.trainer.ema, config.seed)]
    train = digits().train
    for batch in BATCHES[:steps]:
        pixels, labels = jnp.asarray(train.pixels[batch]), jnp.asarray(train.digits[batch])
        states.append(step(states[-1], pixels, labels)[0])
    return states


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_cross_entropy_is_tensorflow_s(tf1_graph: ModuleType, smoothing: float) -> None:
    logits = np.random.default_rng(0).normal(size=(17, 10)).astype(np.float32) * 4
    labels = np.arange(17) % 10
    with tf1_graph.Session() as session:
        expected = session.run(tf1_graph.losses.softmax_cross_entropy(
            np.eye(10, dtype=np.float32)[labels], logits, label_smoothing=smoothing
        ))
    found = cross_entropy(jnp.asarray(logits), jnp.asarray(labels), smoothing)
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_large_logits_give_a_finite_loss() -> None:
    logits = jnp.array([[1e4, -1e4], [-1e4, 1e4]])
    np.testing.assert_allclose(cross_entropy(logits, jnp.array([0, 1])), 0.0)
    np.testing.assert_allclose(cross_entropy(logits, jnp.array([1, 0])), 2e4)


def test_penalties_are_tensorflow_s_and_follow_the_scopes(tf1_graph: ModuleType) -> None:
    config = configured(
        *SMALL, "model.regularizer={kind: l2, scale: 0.01}",
        "+model.scopes.layer2.regularizer={kind: l1, scale: 0.03}",
        "+model.scopes.layer2.bias_regularizer={kind: l2, scale: 0.5}",
    )
    network = model.build(config.model)
    variables = {name: value + 0.25 for name, value in network.init(3).items()}
    with tf1_graph.Session() as session:
        expected = session.run(
            0.01 * tf1_graph.nn.l2_loss(variables["layer1/weights"])
            + 0.03 * tf1_graph.reduce_sum(tf1_graph.abs(variables["layer2/weights"]))
            + 0.5 * tf1_graph.nn.l2_loss(variables["layer2/biases"])
        )
    np.testing.assert_allclose(network.regularization_loss(variables), expected, rtol=1e-6)
    none = model.build(configured(*SMALL).model)
    assert float(none.regularization_loss(variables)) == 0.0


def test_the_penalty_is_part_of_what_is_minimised() -> None:
    """SGD's step with L2 differs from the one without by rate · scale · weights, and no more."""
    plain = trained(configured(*SMALL), 1)
    decayed = trained(configured(*SMALL, "model.regularizer={kind: l2, scale: 0.5}"), 1)
    for name, start in plain[0].params.items():
        extra = 0.1 * 0.5 * start if name.endswith("weights") else np.zeros(start.shape)
        found = plain[1].params[name] - decayed[1].params[name]
        np.testing.assert_allclose(found, extra, atol=2e-7)


@pytest.mark.parametrize("num_updates", [True, False])
def test_averages_are_tensorflow_s(tf1_graph: ModuleType, num_updates: bool) -> None:
    """The tutorial's order: `global_step` counts the updates done before this one."""
    states = trained(
        configured(*SMALL, f"trainer.ema={{decay: 0.4, num_updates: {num_updates}}}"), 8
    )
    names = list(states[0].params)
    with tf1_graph.variable_scope("", use_resource=False):
        step = tf1_graph.get_variable("step", initializer=0, trainable=False)
        variables = {
            name: tf1_graph.get_variable(name, initializer=np.asarray(states[0].params[name]))
            for name in names
        }
    average = tf1_graph.train.ExponentialMovingAverage(0.4, step if num_updates else None)
    update = average.apply(list(variables.values()))
    with tf1_graph.Session() as session:
        session.run([variable.initializer for variable in variables.values()])
        session.run(tf1_graph.global_variables_initializer())
        for number, state in enumerate(states[1:]):
            step.load(number, session)
            for name, variable in variables.items():
                variable.load(np.asarray(state.params[name]), session)
            session.run(update)
            for name, variable in variables.items():
                shadow = session.run(average.average(variable))
                np.testing.assert_allclose(state.ema[name], shadow, rtol=1e-6, atol=1e-7)
    assert not np.array_equal(states[-1].ema[names[0]], states[-1].params[names[0]])


def test_without_averages_the_variables_themselves_are_evaluated() -> None:
    state = trained(configured(*SMALL), 1)[-1]
    assert state.ema == {}
    assert state.averaged == state.variables


def test_moving_statistics_are_tensorflow_s(tf1_graph: ModuleType) -> None:
    """Of batch normalisation: `moving += (batch - moving) · (1 - decay)`, biased variance."""
    scopes = {
        "bn": {"kind": "batch_norm", "decay": 0.7},
        "out": {"kind": "dense", "units": 10},
    }
    config = configured(
        "optimizer=sgd", "trainer.batch_size=20", "trainer.ema={decay: 0.9}",
        model={"name": "bn", "input_shape": [784], "scopes": scopes},
    )
    states = trained(config, 3)
    mean, variance = np.zeros(784, np.float32), np.ones(784, np.float32)
    with tf1_graph.Session() as session:
        for batch, state in zip(BATCHES, states[1:], strict=False):
            images = (digits().train.pixels[batch] / np.float32(255)).reshape(20, 784)
            of_batch = session.run(tf1_graph.nn.moments(images, axes=[0]))
            mean += (of_batch[0] - mean) * np.float32(0.3)
            variance += (of_batch[1] - variance) * np.float32(0.3)
            np.testing.assert_allclose(state.statistics["bn/moving_mean"], mean, atol=1e-6)
            np.testing.assert_allclose(state.statistics["bn/moving_variance"], variance, atol=1e-6)
    assert set(states[-1].statistics) == {"bn/moving_mean", "bn/moving_variance"}
    assert not set(states[-1].ema) & set(states[-1].statistics)


def test_dropout_draws_anew_at_every_step_and_follows_the_seed() -> None:
    scopes = {
        "drop": {"kind": "dropout", "rate": 0.5},
        "out": {"kind": "dense", "units": 10, "initializer": {"kind": "zeros"}},
    }

    def gradients(seed: int) -> list[Any]:
        config = configured(
            "optimizer=sgd", f"seed={seed}", "trainer.batch_size=20",
            model={"name": "drop", "input_shape": [784], "scopes": scopes},
        )
        network = model.build(config.model)
        optimizer = build_optimizer(config.optimizer, lambda step: 1.0)
        step = jax.jit(build_step(network, optimizer, config.trainer))
        fresh = init_state(network, optimizer, None, seed)
        train, batch = digits().train, BATCHES[0]
        return [
            np.asarray(step(
                TrainState(jnp.int32(at), fresh.params, {}, fresh.opt_state, {}, fresh.key),
                jnp.asarray(train.pixels[batch]), jnp.asarray(train.digits[batch]),
            )[0].params["out/weights"])
            for at in (0, 1)
        ]

    first, second = gradients(0)
    assert not np.array_equal(first, second)
    again, _ = gradients(0)
    np.testing.assert_array_equal(first, again)
    other, _ = gradients(1)
    assert not np.array_equal(first, other)


def test_metrics_are_of_the_batch_before_the_update() -> None:
    config = configured(*SMALL, "model.regularizer={kind: l2, scale: 0.1}")
    network = model.build(config.model)
    optimizer = build_optimizer(config.optimizer, lambda step: 0.1)
    state = init_state(network, optimizer, None, 0)
    pixels, labels = digits().train.pixels[:20], digits().train.digits[:20]
    step = jax.jit(build_step(network, optimizer, config.trainer))
    _, metrics = step(state, jnp.asarray(pixels), jnp.asarray(labels))
    logits = np.asarray(model.predict_logits(network, state.variables, pixels), np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(20), labels]
    penalty = float(network.regularization_loss(state.variables))
    assert penalty > 0.1
    assert float(metrics["loss"]) == pytest.approx(losses.mean() + penalty, rel=1e-5)
    assert float(metrics["accuracy"]) == pytest.approx((logits.argmax(1) == labels).mean())
