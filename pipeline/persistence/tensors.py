"""Training state under the names that TensorFlow 1 gives it in a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from pipeline.checkpoint import GLOBAL_STEP, average_name, optimizer_slots
from pipeline.config.schema import OptimizerConfig
from pipeline.train import TrainState

# TF1's word for a slot → optax's name of it
_OPTAX = {"momentum": "trace", "m": "mu", "v": "nu"}


def state_tensors(
    state: TrainState, optimizer: OptimizerConfig, *, slots: bool, averages: bool = True
) -> dict[str, NDArray[Any]]:
    """What a Saver would find in the same program under TF1, by name.

    The variables, `global_step` (int64); with `averages` the shadows
    `layer1/weights/ExponentialMovingAverage`, where the run keeps them; with `slots` also
    `layer1/weights/Adam`, `…/Adam_1`, `beta1_power`, `beta2_power` or `…/Momentum`. On a CPU the
    arrays are the state's own memory.
    """
    tensors = {name: np.asarray(value) for name, value in state.variables.items()}
    if averages:
        tensors |= {average_name(name): np.asarray(value) for name, value in state.ema.items()}
    tensors[GLOBAL_STEP] = np.asarray(state.step).astype(np.int64)
    return tensors | (_slot_tensors(state, optimizer) if slots else {})


def _slot_tensors(state: TrainState, optimizer: OptimizerConfig) -> dict[str, NDArray[Any]]:
    """The optimizer's state by TF1's names; sgd has none."""
    names = optimizer_slots(optimizer.name, state.params)
    tensors: dict[str, NDArray[Any]] = {}
    for slot, keys in names.slots.items():
        values = optax.tree_utils.tree_get(state.opt_state, _OPTAX[slot])
        tensors |= {key: np.asarray(values[name]) for name, key in keys.items()}
    for scalar, key in names.scalars.items():
        # TF1 keeps the power for the next update: beta ** (updates + 1).
        beta = {"beta1_power": optimizer.beta1, "beta2_power": optimizer.beta2}[scalar]
        tensors[key] = np.asarray(beta ** (int(state.step) + 1), np.float32)
    return tensors


def state_from_tensors(
    state: TrainState, optimizer: OptimizerConfig, tensors: Mapping[str, NDArray[Any]]
) -> TrainState:
    """`state` with everything that a checkpoint holds of it, so that training goes on.

    Args:
        state: of a run about to start.
        optimizer: the run's; a checkpoint of another one lacks its slots, which then stay fresh.
        tensors: a checkpoint's, by name.
    """

    def taken(values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
        return {
            name: jnp.asarray(tensors[keys[name]], value.dtype) if keys[name] in tensors else value
            for name, value in values.items()
        }

    opt_state = state.opt_state
    for slot, keys in optimizer_slots(optimizer.name, state.params).slots.items():
        values = optax.tree_utils.tree_get(opt_state, _OPTAX[slot])
        opt_state = optax.tree_utils.tree_set(opt_state, **{_OPTAX[slot]: taken(values, keys)})
    step = jnp.asarray(tensors.get(GLOBAL_STEP, state.step), jnp.int32)
    if optax.tree_utils.tree_get_all_with_path(opt_state, "count"):
        opt_state = optax.tree_utils.tree_set(opt_state, count=step)
    own = {name: name for name in state.variables}
    averages = {name: average_name(name) for name in state.ema}
    return replace(
        state,
        step=step,
        params=taken(state.params, own),
        statistics=taken(state.statistics, own),
        ema=taken(taken(state.ema, own), averages),
        opt_state=opt_state,
    )


def model_tensors(
    names: list[str], tensors: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """The variables to evaluate: shadows where there are any, as `variables_to_restore` maps them.

    Args:
        names: the model's variables.
        tensors: a checkpoint's, by name; more than the model's may be there.
    """
    keys = {name: average_name(name) for name in names}
    return {
        name: tensors[shadow if shadow in tensors else name]
        for name, shadow in keys.items()
        if shadow in tensors or name in tensors
    }
