"""The writers, one for each kind of target, and the table that names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from pipeline import checkpoint, graph, lowering
from pipeline.config.persistence import (
    FrozenGraphTarget,
    OrbaxTarget,
    TargetConfig,
    TfCheckpointTarget,
)
from pipeline.model import Network, Variables
from pipeline.persistence.artifact import Artifact, PersistenceError, describe_files
from pipeline.persistence.tensors import checkpoint_tensors
from pipeline.train import Snapshot, save_snapshot


@dataclass(frozen=True)
class Trained:
    """A model to persist; `snapshot` is None when only its variables were restored."""

    network: Network
    variables: Variables
    step: int
    snapshot: Snapshot | None = None


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


Written = tuple[Path, list[Path]]      # what a reader is given; all files


def _write_orbax(target: OrbaxTarget, trained: Trained, run_directory: Path) -> Written:
    if trained.snapshot is None:
        raise PersistenceError(
            "persistence target of kind orbax: holds the complete training state, and only "
            "variables were restored; export from a run's orbax step, or leave the target out"
        )
    step = save_snapshot(run_directory / target.directory, trained.snapshot)
    return step, [path for path in step.rglob("*") if path.is_file()]


def _write_checkpoint(target: TfCheckpointTarget, trained: Trained, run_directory: Path) -> Written:
    tensors = checkpoint_tensors(trained, slots=target.optimizer_slots)
    saver = checkpoint.Saver(tensors, max_to_keep=target.max_to_keep)
    saved = saver.save(run_directory / target.prefix, global_step=trained.step)
    assert saved is not None, "there are variables, so something was saved"
    prefix = Path(saved)
    files = [*prefix.parent.glob(f"{prefix.name}.*"), prefix.parent / "checkpoint"]
    return prefix, files


def _write_frozen_graph(
    target: FrozenGraphTarget, trained: Trained, run_directory: Path
) -> Written:
    path = run_directory / target.file
    graph.save_graph(build_frozen_graph(target, trained.network, trained.variables), path)
    return path, [path]


def build_frozen_graph(
    target: FrozenGraphTarget, network: Network, variables: Variables
) -> Any:
    """The model in inference form as a GraphDef: images → logits and probabilities.

    The input is float32 [batch, *input_shape], grey levels as 0..1, with any batch size.
    """

    def inference(values: Variables, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        logits, _ = network.apply(values, images)
        return logits, jax.nn.softmax(logits)

    return lowering.freeze(
        inference,
        variables,
        {target.input: jax.ShapeDtypeStruct((None, *network.input_shape), jnp.float32)},
        outputs=(target.logits, target.output),
        opset=target.opset,
    )


WRITERS: dict[str, Callable[[Any, Trained, Path], Written]] = {
    "orbax": _write_orbax,
    "tf_checkpoint": _write_checkpoint,
    "frozen_graph": _write_frozen_graph,
}
