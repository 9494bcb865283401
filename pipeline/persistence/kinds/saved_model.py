"""TensorFlow 1's form of a SavedModel, for TensorFlow Serving and `tf.saved_model.load`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline import checkpoint
from pipeline.config.persistence import SavedModelTarget
from pipeline.model import to_input
from pipeline.persistence.artifact import Artifact
from pipeline.persistence.executed import run_graph, run_saved_model
from pipeline.persistence.graphs import build_meta_graph
from pipeline.persistence.kinds.kind import Kind, Pixels, Reading, Trained, Written
from pipeline.persistence.saved_model import save_saved_model


def _write(target: SavedModelTarget, trained: Trained, run_directory: Path) -> Written:
    directory = run_directory / target.directory
    meta_graph = build_meta_graph(target, trained.network)
    if (directory / "saved_model.pb").is_file():
        shutil.rmtree(directory)   # of this run, before it was stopped and resumed
    return Written(directory, save_saved_model(directory, meta_graph, trained.variables))


def _readings(
    target: SavedModelTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    logits = run_saved_model(artifact.path, target, to_input(trained.network, pixels))
    yield Reading(artifact.target, logits, trained.variables)


SAVED_MODEL = Kind(
    write=_write, readings=_readings,
    at=lambda path: path if (path / "saved_model.pb").is_file() else None,
    variables=lambda path, names: checkpoint.CheckpointReader(path / "variables" / "variables"),
    logits=run_graph,
)
