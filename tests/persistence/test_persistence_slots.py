"""Optimizer state under TensorFlow's names: what TensorFlow holds after the same gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from pipeline.config import optimizers
from pipeline.config.optimizers import ROWS, NoSlots, Slots
from pipeline.persistence.tensors import state_from_tensors, state_tensors
from pipeline.train import TrainState

RANDOM = np.random.default_rng(0)
START = {"a": RANDOM.normal(size=(3, 2)), "b": RANDOM.normal(size=4)}
GRADIENTS = [{name: RANDOM.normal(size=value.shape) for name, value in START.items()}
             for _ in range(6)]
NAMES = [name for name in optimizers.NAMES if name != "factory"]

# name, options, the same under TensorFlow, whether the variables agree too
CASES: list[tuple[str, dict[str, Any], Callable[[Any], Any]]] = [
    ("sgd", {}, lambda train: train.GradientDescentOptimizer(0.1)),
    ("momentum", {"momentum": 0.8}, lambda train: train.MomentumOptimizer(0.1, 0.8)),
    ("adam", {"beta1": 0.8, "beta2": 0.9}, lambda train: train.AdamOptimizer(0.1, 0.8, 0.9)),
    ("adagrad", {"epsilon": 0.0}, lambda train: train.AdagradOptimizer(0.1)),
    ("adadelta", {"rho": 0.9, "epsilon": 1e-6},
     lambda train: train.AdadeltaOptimizer(0.1, 0.9, 1e-6)),
    ("rmsprop", {"initial_scale": 1.0, "momentum": 0.7},
     lambda train: train.RMSPropOptimizer(0.1, 0.9, 0.7, 1e-8)),
    ("rmsprop", {"initial_scale": 1.0},
     lambda train: train.RMSPropOptimizer(0.1, 0.9, 0.0, 1e-8)),
    ("rmsprop", {"initial_scale": 1.0, "momentum": 0.7, "centered": True},
     lambda train: train.RMSPropOptimizer(0.1, 0.9, 0.7, 1e-8, centered=True)),
]


def fresh(optimizer: optimizers.Optimizer) -> TrainState:
    params: Any = {name: jnp.asarray(value, jnp.float32) for name, value in START.items()}
    opt_state = optimizer.build(optax.constant_schedule(0.1)).init(params)
    return TrainState(jnp.zeros((), jnp.int32), params, {}, opt_state, {}, jax.random.key(0))


def trained(optimizer: optimizers.Optimizer) -> TrainState:
    state, update = fresh(optimizer), optimizer.build(optax.constant_schedule(0.1)).update
    for gradient in GRADIENTS:
        wanted: Any = {name: jnp.asarray(value, jnp.float32) for name, value in gradient.items()}
        changes, opt_state = update(wanted, state.opt_state, state.params)
        params = optax.apply_updates(state.params, changes)
        state = replace(state, step=state.step + 1, params=params, opt_state=opt_state)
    return state


@pytest.mark.parametrize(("name", "options", "make"), CASES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_slots_hold_what_tensorflow_s_do(
    tf1_graph: ModuleType, name: str, options: dict[str, Any], make: Callable[[Any], Any]
) -> None:
    optimizer = optimizers.by_name(name, learning_rate=0.1, **options)
    ours = state_tensors(trained(optimizer), optimizer, slots=True)
    fed = {name: tf1_graph.placeholder("float32", value.shape) for name, value in START.items()}
    with tf1_graph.variable_scope("", use_resource=False):
        variables = [tf1_graph.get_variable(name, initializer=value.astype(np.float32))
                     for name, value in START.items()]
        step = tf1_graph.train.get_or_create_global_step()
    update = make(tf1_graph.train).apply_gradients(
        list(zip(fed.values(), variables, strict=True)), global_step=step)
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        for gradient in GRADIENTS:
            session.run(update, {fed[name]: value for name, value in gradient.items()})
        theirs = {one.op.name: session.run(one) for one in tf1_graph.global_variables()}
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        np.testing.assert_allclose(ours[key], value, rtol=2e-4, atol=2e-5, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_goes_on_with_the_state_it_holds(name: str) -> None:
    optimizer = optimizers.by_name(name, learning_rate=0.1)
    state = trained(optimizer)
    tensors = state_tensors(state, optimizer, slots=True)
    held = {"a", "b", "global_step"}
    slots = optimizer.slots()
    if isinstance(slots, NoSlots) or slots == Slots("sgd"):
        assert tensors.keys() == held
        return
    assert tensors.keys() > held
    restored = state_from_tensors(fresh(optimizer), optimizer, tensors)
    jax.tree.map(np.testing.assert_array_equal, restored.opt_state, state.opt_state)


def test_every_row_is_tried() -> None:
    assert len(NAMES) == len(ROWS) - 1
