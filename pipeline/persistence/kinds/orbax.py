"""The complete training state as an orbax step, to go on from bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import train
from pipeline.config.persistence import OrbaxTarget
from pipeline.model import predict_logits
from pipeline.persistence.artifact import Artifact, PersistenceError
from pipeline.persistence.fit import fitted
from pipeline.persistence.kinds.kind import Kind, Pixels, Reading, Trained, Written


def _write(target: OrbaxTarget, trained: Trained, run_directory: Path) -> Written:
    if trained.snapshot is None:
        raise PersistenceError(
            "persistence target of kind orbax: holds the complete training state, and only "
            "variables were restored; leave the target out, or make an orbax step of a TensorFlow "
            "checkpoint by task=convert"
        )
    step = train.save_snapshot(run_directory / target.directory, trained.snapshot)
    return Written(step, [path for path in step.rglob("*") if path.is_file()])


def _readings(
    target: OrbaxTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    restored = fitted(artifact.path, train.load_variables(artifact.path), trained.network)
    logits = predict_logits(trained.network, restored, pixels)
    yield Reading(artifact.target, logits, trained.variables)


def _at(path: Path) -> Path | None:
    return train.find_step(path) if path.is_dir() and path.name.isdigit() else None


ORBAX = Kind(
    write=_write, readings=_readings, at=_at,
    inside=lambda directory: train.find_step(directory / "orbax"),
    variables=lambda path, names: train.load_variables(path),
    needs_snapshot=True,
)
