"""A GraphDef of ordinary ops with the variables as constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import graph
from pipeline.config.persistence import FrozenGraphTarget
from pipeline.model import to_input
from pipeline.persistence.artifact import Artifact
from pipeline.persistence.executed import run_frozen_graph, run_graph
from pipeline.persistence.graphs import build_frozen_graph, constants_by_name
from pipeline.persistence.kinds.kind import Kind, Pixels, Reading, Trained, Written


def _write(target: FrozenGraphTarget, trained: Trained, run_directory: Path) -> Written:
    path = run_directory / target.file
    frozen = build_frozen_graph(target, trained.network, trained.variables)
    graph.save_graph(frozen, path, as_text=target.as_text)
    return Written(path, [path])


def _readings(
    target: FrozenGraphTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    logits = run_frozen_graph(artifact.path, target, to_input(trained.network, pixels))
    yield Reading(artifact.target, logits, trained.variables)


def _at(path: Path) -> Path | None:
    return path if path.suffix in (".pb", ".pbtxt") and path.is_file() else None


def _inside(directory: Path) -> Path | None:
    """The only one: which of several is meant, the user has to say."""
    graphs = sorted(directory.glob("*.pb"))
    return graphs[0] if len(graphs) == 1 else None


def _variables(path: Path, names: Sequence[str]) -> Mapping[str, Any]:
    return constants_by_name(graph.load_graph(path))


FROZEN_GRAPH = Kind(write=_write, readings=_readings, at=_at, inside=_inside,
                    variables=_variables, logits=run_graph)
