"""Training state under the names that TensorFlow 1 gives it in a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import optax
from numpy.typing import NDArray

from pipeline.config.schema import OptimizerConfig
from pipeline.train import TrainState

if TYPE_CHECKING:
    from pipeline.persistence.targets import Trained

EMA_SUFFIX = "/ExponentialMovingAverage"

# optax's name of a slot → TF1's, below the variable's own name (tf.train.*Optimizer)
_SLOTS = {"trace": "Momentum", "mu": "Adam", "nu": "Adam_1"}


def checkpoint_tensors(trained: Trained, *, optimizer_slots: bool) -> dict[str, NDArray[Any]]:
    """What a Saver would find in the same program under TF1, by name.

    The variables; with a training state also `global_step` (int64) and the shadows
    `layer1/weights/ExponentialMovingAverage`; with `optimizer_slots` also `layer1/weights/Adam`,
    `…/Adam_1`, `beta1_power`, `beta2_power` or `…/Momentum`.
    """
    if trained.snapshot is None:
        return {name: np.asarray(value) for name, value in trained.variables.items()}
    state = trained.snapshot.state
    tensors = {name: np.asarray(value) for name, value in state.variables.items()}
    tensors |= {name + EMA_SUFFIX: np.asarray(value) for name, value in state.ema.items()}
    tensors["global_step"] = np.asarray(state.step).astype(np.int64)
    if optimizer_slots:
        tensors |= slot_tensors(state, OptimizerConfig(**trained.snapshot.recipe["optimizer"]))
    return tensors


def slot_tensors(state: TrainState, optimizer: OptimizerConfig) -> dict[str, NDArray[Any]]:
    """The optimizer's slots; sgd has none."""
    tensors: dict[str, NDArray[Any]] = {}
    for field, slot in _SLOTS.items():
        values = optax.tree_utils.tree_get(state.opt_state, field)
        if values is not None:
            tensors |= {f"{name}/{slot}": np.asarray(value) for name, value in values.items()}
    if optimizer.name in ("adam", "adamw"):
        # TF1 keeps the power for the next update: beta ** (updates + 1).
        updates = int(state.step) + 1
        tensors["beta1_power"] = np.asarray(optimizer.beta1**updates, np.float32)
        tensors["beta2_power"] = np.asarray(optimizer.beta2**updates, np.float32)
    return tensors


def model_tensors(
    names: list[str], tensors: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """The variables to evaluate: shadows where there are any, as `variables_to_restore` maps them.

    Args:
        names: the model's variables.
        tensors: a checkpoint's, by name; more than the model's may be there.
    """
    return {
        name: tensors[name + EMA_SUFFIX if name + EMA_SUFFIX in tensors else name]
        for name in names
        if name in tensors or name + EMA_SUFFIX in tensors
    }
