"""Optimizer state under TensorFlow's names (tf1_semantics.md C23, H1, H2)."""

from __future__ import annotations

from contextlib import nullcontext
from types import ModuleType

import numpy as np
import pytest

from pipeline.checkpoint import (
    InvalidArgumentError,
    average_name,
    optimizer_slots,
    variables_to_restore,
)

NAMES = ["net/w", "net/b"]


@pytest.mark.parametrize("scope", ["", "train"])
@pytest.mark.parametrize(("optimizer", "make"), [
    ("sgd", lambda train: train.GradientDescentOptimizer(0.1)),
    ("momentum", lambda train: train.MomentumOptimizer(0.1, 0.9)),
    ("adam", lambda train: train.AdamOptimizer(0.1)),
    ("adagrad", lambda train: train.AdagradOptimizer(0.1)),
    ("rmsprop", lambda train: train.RMSPropOptimizer(0.1)),
    ("rmsprop_centered", lambda train: train.RMSPropOptimizer(0.1, centered=True)),
    ("adadelta", lambda train: train.AdadeltaOptimizer(0.1)),
    ("ftrl", lambda train: train.FtrlOptimizer(0.1)),
    ("proximal_adagrad", lambda train: train.ProximalAdagradOptimizer(0.1)),
])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_names_are_tensorflows(
    tf1_graph: ModuleType, optimizer: str, make: object, scope: str
) -> None:
    with tf1_graph.variable_scope("net"):
        weights = [tf1_graph.get_variable(name, [2]) for name in ("w", "b")]
    with tf1_graph.variable_scope(scope) if scope else nullcontext():
        make(tf1_graph.train).minimize(tf1_graph.reduce_sum(weights))
    theirs = {variable.op.name for variable in tf1_graph.global_variables()} - set(NAMES)
    assert optimizer_slots(optimizer, NAMES, scope=scope).keys == sorted(theirs)


def test_adams_slots_by_quantity() -> None:
    slots = optimizer_slots("adam", ["w"])
    assert slots.slots == {"m": {"w": "w/Adam"}, "v": {"w": "w/Adam_1"}}
    assert slots.scalars == {"beta1_power": "beta1_power", "beta2_power": "beta2_power"}
    assert optimizer_slots("adamw", ["w"]) == slots
    assert optimizer_slots("momentum", ["w"], name="Mom").keys == ["w/Mom"]


def test_beta_powers_are_one_step_ahead(tf1_graph: ModuleType) -> None:
    """What `optimizer_slots` documents: beta ** (t + 1) after t steps."""
    weight = tf1_graph.get_variable("w", [1])
    step = tf1_graph.train.AdamOptimizer(0.1).minimize(weight)
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        for _ in range(5):
            session.run(step)
        powers = session.run([variable for variable in tf1_graph.global_variables()
                              if "power" in variable.name])
    assert np.allclose(powers, [0.9**6, 0.999**6], rtol=1e-6)


def test_an_optimizer_without_known_names() -> None:
    with pytest.raises(InvalidArgumentError, match="optimizer 'lion' has no known slots; expected"):
        optimizer_slots("lion", NAMES)


def test_moving_averages(tf1_graph: ModuleType) -> None:
    variable = tf1_graph.get_variable("layer1/weights", [1])
    step = tf1_graph.train.get_or_create_global_step()
    average = tf1_graph.train.ExponentialMovingAverage(0.99, step)
    average.apply([variable])
    with tf1_graph.variable_scope("x"):
        other = tf1_graph.train.ExponentialMovingAverage(0.9, name="EMA2")
        other.apply([variable])
    assert average_name("layer1/weights") == average.average_name(variable)
    assert average_name("layer1/weights", scope="x", name="EMA2") == other.average_name(variable)
    theirs = {key: found.op.name for key, found in average.variables_to_restore().items()
              if not found.op.name.startswith("x/")}
    assert variables_to_restore(["layer1/weights"], ["global_step"]) == theirs
