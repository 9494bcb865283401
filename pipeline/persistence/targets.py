"""The writers, one for each kind of target, and the table that names them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pipeline import graph
from pipeline.config.persistence import (
    FrozenGraphTarget,
    MetaGraphTarget,
    OnnxTarget,
    OrbaxTarget,
    SavedModelTarget,
    TargetConfig,
    TfCheckpointTarget,
)
from pipeline.config.schema import OptimizerConfig
from pipeline.files import write_atomically
from pipeline.model import Network, Variables
from pipeline.persistence.artifact import Artifact, PersistenceError, describe_files
from pipeline.persistence.graphs import build_frozen_graph, build_meta_graph
from pipeline.persistence.onnx import build_onnx
from pipeline.persistence.saved_model import save_saved_model
from pipeline.persistence.tensors import state_tensors
from pipeline.persistence.tf_checkpoint import CheckpointSeries
from pipeline.train import Snapshot, save_snapshot

log = logging.getLogger(__name__)

Written: TypeAlias = tuple[Path, list[Path]]      # what a reader is given; all files


@dataclass(frozen=True)
class Trained:
    """A model to persist.

    Attributes:
        network: the model.
        variables: to evaluate: averages where the run keeps them.
        step: the updates behind them.
        snapshot: the whole training state; None when only variables were restored.
    """

    network: Network
    variables: Variables
    step: int
    snapshot: Snapshot | None = None

    @property
    def current(self) -> Variables:
        """The variables as training left them, not averaged."""
        return self.variables if self.snapshot is None else self.snapshot.state.variables


def persist(
    targets: Mapping[str, TargetConfig], trained: Trained, run_directory: Path
) -> list[Artifact]:
    """Writes every target under the run's directory; each file is complete or absent.

    Raises:
        PersistenceError: a target can't be written from what there is.
        LoweringError: the model has operations that TensorFlow's ops can't express.
    """
    artifacts = []
    for name, target in targets.items():
        path, files = WRITERS[target.kind](target, trained, run_directory)
        artifacts.append(Artifact(name, target.kind, path, describe_files(files, run_directory)))
    return artifacts


def written_from_variables(targets: dict[str, TargetConfig]) -> dict[str, TargetConfig]:
    """Those targets for which variables are enough; the log tells of the others.

    Where the training state is all that is asked for, it stays, for `persist` to refuse.
    """
    enough: dict[str, TargetConfig] = {
        name: target for name, target in targets.items() if target.kind != "orbax"
    }
    if not enough:
        return targets
    for name in targets:
        if name not in enough:
            log.info("%s is left out: it holds a training state, and here are variables", name)
    return enough


def _write_orbax(target: OrbaxTarget, trained: Trained, run_directory: Path) -> Written:
    if trained.snapshot is None:
        raise PersistenceError(
            "persistence target of kind orbax: holds the complete training state, and only "
            "variables were restored; leave the target out, or make an orbax step of a TensorFlow "
            "checkpoint by task=convert"
        )
    step = save_snapshot(run_directory / target.directory, trained.snapshot)
    return step, [path for path in step.rglob("*") if path.is_file()]


def _write_checkpoint(target: TfCheckpointTarget, trained: Trained, run_directory: Path) -> Written:
    if trained.snapshot is None:
        tensors = {name: np.asarray(value) for name, value in trained.variables.items()}
    else:
        optimizer = OptimizerConfig(**trained.snapshot.recipe["optimizer"])
        tensors = state_tensors(trained.snapshot.state, optimizer,
                                slots=target.optimizer_slots, averages=target.averages)
    prefix = CheckpointSeries(target, trained.network, run_directory).save(tensors, trained.step)
    files = list(prefix.parent.glob(f"{prefix.name}.*"))
    state_file = prefix.parent / target.latest_filename
    return prefix, [*files, state_file] if target.write_state else files


def _write_meta_graph(target: MetaGraphTarget, trained: Trained, run_directory: Path) -> Written:
    path = run_directory / target.file
    message = build_meta_graph(target, trained.network, resource=target.resource_variables)
    if target.form == "json":
        write_atomically(path, graph.meta_graph_json(message))
    else:
        graph.save_meta_graph(message, path, as_text=target.form == "text")
    return path, [path]


def _write_frozen_graph(
    target: FrozenGraphTarget, trained: Trained, run_directory: Path
) -> Written:
    path = run_directory / target.file
    frozen = build_frozen_graph(target, trained.network, trained.variables)
    graph.save_graph(frozen, path, as_text=target.as_text)
    return path, [path]


def _write_saved_model(target: SavedModelTarget, trained: Trained, run_directory: Path) -> Written:
    directory = run_directory / target.directory
    meta_graph = build_meta_graph(target, trained.network)
    if (directory / "saved_model.pb").is_file():
        shutil.rmtree(directory)   # of this run, before it was stopped and resumed
    return directory, save_saved_model(directory, meta_graph, trained.variables)


def _write_onnx(target: OnnxTarget, trained: Trained, run_directory: Path) -> Written:
    path = run_directory / target.file
    made = build_onnx(target, trained.network, trained.variables)
    write_atomically(path, made.SerializeToString(deterministic=True))
    return path, [path]


WRITERS: dict[str, Callable[[Any, Trained, Path], Written]] = {
    "orbax": _write_orbax,
    "tf_checkpoint": _write_checkpoint,
    "meta_graph": _write_meta_graph,
    "frozen_graph": _write_frozen_graph,
    "saved_model": _write_saved_model,
    "onnx": _write_onnx,
}
