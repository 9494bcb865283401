"""A TFLite model for LiteRT, on phones and small machines; the extra `tflite` runs it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline import tflite
from pipeline.config.model import ModelConfig
from pipeline.config.persistence import GraphNames, TfliteTarget
from pipeline.files import write_atomically
from pipeline.model import Network, to_input
from pipeline.persistence.artifact import Artifact, ArtifactError, PersistenceError
from pipeline.persistence.executed import in_batches
from pipeline.persistence.graphs import build_frozen_graph
from pipeline.persistence.kinds.kind import Kind, Logits, Pixels, Reading, Trained, Written

_PACKAGES = ("ai_edge_litert", "flatbuffers")


def require_packages() -> None:
    """Raises PersistenceError where the extra is not installed."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise PersistenceError(
            f"persistence target of kind tflite: needs {' and '.join(missing)}, not installed "
            "here; pip install 'jaxfrost[tflite]'")


def _write(target: TfliteTarget, trained: Trained, run_directory: Path) -> Written:
    require_packages()
    path = run_directory / target.file
    names = GraphNames(input=target.input, logits=target.logits, output=target.output,
                       opset="modern")
    frozen = build_frozen_graph(names, trained.network, trained.variables, output_shapes=True)
    write_atomically(path, tflite.convert(frozen, [target.input], [target.logits, target.output]))
    return Written(path, [path])


def _readings(
    target: TfliteTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    """By both sets of kernels: apps run either."""
    for name, xnnpack in ((artifact.target, True), (f"{artifact.target}, plain kernels", False)):
        yield Reading(name, _run(artifact.path, target.logits, trained.network, pixels, xnnpack),
                      trained.variables)


def _logits(path: Path, network: Network, pixels: Pixels, config: ModelConfig) -> Logits:
    return _run(path, config.logits or "logits", network, pixels, xnnpack=True)


def _run(path: Path, logits: str, network: Network, pixels: Pixels, xnnpack: bool) -> Logits:
    require_packages()
    found = tflite.describe(path)
    if logits not in found.outputs or len(found.inputs) != 1:
        raise ArtifactError(f"{path}: it takes {', '.join(found.inputs)} and gives "
                            f"{', '.join(found.outputs)}; expected one input, and {logits} among "
                            "the outputs: model.logits names another")
    name, = found.inputs
    return in_batches(lambda batch: tflite.run(
        path, {name: np.asarray(batch)}, xnnpack=xnnpack)[logits], to_input(network, pixels))


TFLITE = Kind(
    write=_write, readings=_readings, logits=_logits, require_packages=require_packages,
    at=lambda path: path if path.suffix == ".tflite" and path.is_file() else None,
)
