"""A TF.js graph model, for browsers and Node."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import execution, tfjs
from pipeline.config.model import ModelConfig
from pipeline.config.persistence import TfjsTarget
from pipeline.errors import PipelineError
from pipeline.model import Network, to_input
from pipeline.persistence.artifact import Artifact, ArtifactError
from pipeline.persistence.executed import in_batches
from pipeline.persistence.graphs import build_frozen_graph, constants_by_name
from pipeline.persistence.kinds.kind import Kind, Logits, Pixels, Reading, Trained, Written


def _write(target: TfjsTarget, trained: Trained, run_directory: Path) -> Written:
    directory = run_directory / target.directory
    frozen = build_frozen_graph(target, trained.network, trained.variables, output_shapes=True)
    if (directory / tfjs.MODEL).is_file():
        shutil.rmtree(directory)   # of this run, before it was stopped and resumed
    return Written(directory, tfjs.write(directory, frozen, [target.input],
                                         [target.logits, target.output], storage=target.weights))


def _readings(
    target: TfjsTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    """Of rounded weights, what the rounded variables give natively: rounding is no fault."""
    variables = dict(trained.variables)
    if target.weights != "float32":
        kept = _variables(artifact.path, list(variables))
        variables |= {name: kept[name] for name in variables if name in kept}
    logits = _run(artifact.path, target.logits, trained.network, pixels)
    yield Reading(artifact.target, logits, variables)


def _at(path: Path) -> Path | None:
    directory = path.parent if path.name == tfjs.MODEL else path
    return directory if (directory / tfjs.MODEL).is_file() else None


def _variables(path: Path, names: Sequence[str]) -> Mapping[str, Any]:
    return constants_by_name(tfjs.read(path).graph_def)


def _logits(path: Path, network: Network, pixels: Pixels, config: ModelConfig) -> Logits:
    return _run(path, config.logits or "logits", network, pixels)


def _run(path: Path, logits: str, network: Network, pixels: Pixels) -> Logits:
    model = tfjs.read(path)
    if logits not in model.outputs:
        raise ArtifactError(f"{path}: the signature has no output {logits!r}; it has "
                            f"{', '.join(model.outputs)}; name one by model.logits")
    try:
        function = execution.function(model.graph_def, list(model.inputs.values()),
                                      [model.outputs[logits]])
    except PipelineError as error:
        raise ArtifactError(f"{path}: {error}") from error
    return in_batches(lambda batch: function(batch)[0], to_input(network, pixels))


TFJS = Kind(write=_write, readings=_readings, at=_at, variables=_variables, logits=_logits)
