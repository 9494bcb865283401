"""How each kind of artefact is read back and run; one reader a kind, by the table at the end.

A reader gives what it read, how it names it, and the variables whose native logits it must equal:
those to evaluate, or, where a graph names the variables themselves, those that training left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import checkpoint
from pipeline.config.persistence import (
    FrozenGraphTarget,
    MetaGraphTarget,
    OnnxTarget,
    OrbaxTarget,
    SavedModelTarget,
    TfCheckpointTarget,
)
from pipeline.model import Variables, predict_logits, to_input
from pipeline.persistence import (
    Artifact,
    Trained,
    load_variables,
    run_frozen_graph,
    run_meta_graph,
    run_onnx,
    run_saved_model,
)

Pixels = NDArray[np.uint8]


class Reading(NamedTuple):
    """What an artefact computes, and the variables it must agree with."""

    name: str
    logits: NDArray[np.float32]
    variables: Variables


def _orbax(
    target: OrbaxTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    restored = load_variables(artifact.path, trained.network)
    logits = predict_logits(trained.network, restored, pixels)
    yield Reading(artifact.target, logits, trained.variables)


def _tf_checkpoint(
    target: TfCheckpointTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    # The model needs no slots, but who trains on does.
    checkpoint.CheckpointReader(artifact.path).verify()
    restored = load_variables(artifact.path, trained.network)
    logits = predict_logits(trained.network, restored, pixels)
    expected = trained.variables if target.averages else trained.current
    yield Reading(artifact.target, logits, expected)
    if target.write_meta_graph:
        meta = artifact.path.with_name(artifact.path.name + ".meta")
        images = to_input(trained.network, pixels)
        logits = run_meta_graph(meta, target, images, artifact.path)
        yield Reading(f"{artifact.target} .meta", logits, trained.current)


def _meta_graph(
    target: MetaGraphTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    images = to_input(trained.network, pixels)
    logits = run_meta_graph(artifact.path, target, images, trained.current)
    yield Reading(artifact.target, logits, trained.current)


def _frozen_graph(
    target: FrozenGraphTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    logits = run_frozen_graph(artifact.path, target, to_input(trained.network, pixels))
    yield Reading(artifact.target, logits, trained.variables)


def _saved_model(
    target: SavedModelTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    logits = run_saved_model(artifact.path, target, to_input(trained.network, pixels))
    yield Reading(artifact.target, logits, trained.variables)


def _onnx(
    target: OnnxTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    logits = run_onnx(artifact.path, target, to_input(trained.network, pixels))
    yield Reading(artifact.target, logits, trained.variables)


READERS: dict[str, Callable[[Any, Artifact, Trained, Pixels], Iterator[Reading]]] = {
    "orbax": _orbax,
    "tf_checkpoint": _tf_checkpoint,
    "meta_graph": _meta_graph,
    "frozen_graph": _frozen_graph,
    "saved_model": _saved_model,
    "onnx": _onnx,
}
