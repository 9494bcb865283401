"""Reading back what any target wrote, and what TensorFlow wrote in the same formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import checkpoint
from pipeline.config.enclosure import require_enclosed
from pipeline.config.model import ModelConfig
from pipeline.config.optimizers import Optimizer
from pipeline.config.several_runs import several_runs
from pipeline.model import Network, Variables, predict_logits
from pipeline.persistence.artifact import PersistenceError
from pipeline.persistence.executed import run_graph
from pipeline.persistence.fit import fitted, require_fit
from pipeline.persistence.kinds import KINDS
from pipeline.persistence.tensors import state_from_tensors
from pipeline.train import TrainState


class Found(NamedTuple):
    """What there is to restore: a step's directory, a prefix, a file or a directory."""

    kind: str
    path: Path

    @property
    def step(self) -> int:
        """The training step in its name; 0 where the name has none."""
        digits = re.search(r"(?:^|-)(\d+)$", self.path.name)
        return int(digits[1]) if digits else 0


def find(path: Path, key: str = "restore") -> Found:
    """What lies at `path`, and exactly where.

    Args:
        path: an orbax step, a checkpoint prefix, its `.index` or `.meta`, a directory with a
            `checkpoint` file, a frozen graph `.pb` or `.pbtxt`, an ONNX model, a SavedModel, or a
            run directory, whose orbax step is preferred, then its checkpoint, then its only graph.
        key: of the configuration that named it, for errors.

    Raises:
        PersistenceError: none of these is there.
        LeadsOut: a run's link, or its checkpoint's state file, leads out of the run.
    """
    is_run = (path / ".hydra").is_dir()
    if is_run:
        require_enclosed(path)
    for name, where in (
        *((name, kind.at(path)) for name, kind in KINDS.items()),
        *((name, kind.inside(path)) for name, kind in KINDS.items() if path.is_dir()),
    ):
        if where is not None:
            return Found(name, where)
    raise PersistenceError(f"{key}={path}: {_why_not(path)}")


def _why_not(path: Path) -> str:
    if several := several_runs(path):
        return f"is {several}; give one run"
    if (path / ".hydra").is_dir():
        return ("nothing to restore there: this run kept no model; repeat it with another "
                "persistence than it had, such as persistence=orbax")
    found = "nothing to restore there" if path.exists() else "there is no such file or directory"
    return (f"{found}; expected a run directory, an orbax step, a checkpoint prefix such as "
            "model.ckpt-5000, a SavedModel, or a frozen graph .pb")


def load_variables(path: Path, network: Network, key: str = "restore") -> Variables:
    """The variables of `network` from whatever lies at `path`, which `key` named.

    Raises:
        PersistenceError: variables are missing or of another shape; all of them are named.
    """
    kind, where = find(path, key)
    read = KINDS[kind].variables
    if read is None:
        raise PersistenceError(f"{where}: a model of kind {kind} can be evaluated, but its weights "
                               "are not all kept by name; restore from the run, its checkpoint or "
                               "graph")
    return fitted(where, read(where, list(network.specs)), network)


def continue_from(
    path: Path, network: Network, optimizer: Optimizer
) -> Callable[[TrainState], TrainState]:
    """What `train.fit` begins with to go on from a checkpoint, TensorFlow's or ours.

    The variables must all be there; optimizer slots, averages and `global_step` are taken if so.

    Raises:
        PersistenceError: no checkpoint is there, or it doesn't fit the network.
    """
    kind, where = find(path)
    if kind != "tf_checkpoint":
        raise PersistenceError(
            f"restore={path}: holds variables and no training state; to begin with its variables "
            f"say warm_start={path}"
        )
    reader = checkpoint.CheckpointReader(where)
    require_fit(where, reader, network)
    return lambda state: state_from_tensors(state, optimizer, reader)


def begin_with(path: Path, network: Network) -> Callable[[TrainState], TrainState]:
    """What `train.fit` begins with to start afresh from another model's variables.

    Raises:
        PersistenceError: nothing is there, or it doesn't fit the network.
    """
    variables = load_variables(path, network, "warm_start")

    def warm(state: TrainState) -> TrainState:
        return replace(
            state,
            params={name: variables[name] for name in state.params},
            statistics={name: variables[name] for name in state.statistics},
            ema={name: variables[name] for name in state.ema},
        )

    return warm


def load_logits(
    path: Path, network: Network, pixels: NDArray[np.uint8], config: ModelConfig | None = None
) -> NDArray[np.float32]:
    """What the model at `path` says of uint8 [n, 28, 28]: float32 [n, classes].

    A graph is executed as it is; `config`, what `network` was built from, says where its images go
    in and its logits come out, or it is guessed. So is a `.meta` that `network` was built from,
    with the checkpoint beside it. The variables of all else are given to `network`.

    Raises:
        ConfigError: a graph does not fit the data, or where its ends are must be said.
        PersistenceError: nothing is there, or it does not fit the network or can't be executed.
    """
    kind, where = find(path)
    config = ModelConfig() if config is None else config
    own = config.path is not None and Path(config.path) == path
    if path.suffix == ".meta" and own:   # not a run's, which may hold averages
        return run_graph(path, network, pixels, config)
    read = KINDS[kind].logits
    if read is not None:
        return read(where, network, pixels, config)
    return predict_logits(network, load_variables(path, network), pixels)
