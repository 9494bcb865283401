"""Training state under the names that TensorFlow 1 gives it in a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from pipeline.checkpoint import GLOBAL_STEP, average_name, optimizer_slots
from pipeline.config.optimizers import NoSlots, Optimizer, Slots
from pipeline.train import TrainState


def state_tensors(
    state: TrainState, optimizer: Optimizer, *, slots: bool, averages: bool = True
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


def _slot_tensors(state: TrainState, optimizer: Optimizer) -> dict[str, NDArray[Any]]:
    """The optimizer's state by TF1's names; sgd has none, and TF1 has not every optimizer."""
    slots = optimizer.slots()
    if isinstance(slots, NoSlots):
        return {}
    names = optimizer_slots(slots.optimizer, state.params)
    tensors: dict[str, NDArray[Any]] = {}
    for slot, keys in names.slots.items():
        values = optax.tree_utils.tree_get(state.opt_state, slots.fields[slot])
        for name, key in keys.items():
            value = np.asarray(values[name])
            tensors[key] = -value if slot in slots.negated else value
    for scalar, key in names.scalars.items():
        # TF1 keeps the power for the next update: beta ** (updates + 1).
        tensors[key] = np.asarray(slots.powers[scalar] ** (int(state.step) + 1), np.float32)
    return tensors


def state_from_tensors(
    state: TrainState, optimizer: Optimizer, tensors: Mapping[str, NDArray[Any]]
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

    opt_state = _opt_state(state, optimizer.slots(), taken)
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


def _opt_state(
    state: TrainState, slots: Slots | NoSlots,
    taken: Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]],
) -> optax.OptState:
    opt_state = state.opt_state
    if isinstance(slots, NoSlots):
        return opt_state
    for slot, keys in optimizer_slots(slots.optimizer, state.params).slots.items():
        sign = -1 if slot in slots.negated else 1
        values = optax.tree_utils.tree_get(opt_state, slots.fields[slot])
        theirs = taken({name: sign * value for name, value in values.items()}, keys)
        ours = {name: sign * value for name, value in theirs.items()}
        opt_state = optax.tree_utils.tree_set(opt_state, **{slots.fields[slot]: ours})
    return opt_state


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
