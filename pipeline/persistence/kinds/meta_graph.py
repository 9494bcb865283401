"""A MetaGraphDef alone: no values, but how each variable begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import graph
from pipeline.config.persistence import MetaGraphTarget
from pipeline.files import write_atomically
from pipeline.model import to_input
from pipeline.persistence.artifact import Artifact
from pipeline.persistence.executed import run_meta_graph
from pipeline.persistence.graphs import build_meta_graph
from pipeline.persistence.kinds.kind import Kind, Pixels, Reading, Trained, Written


def _write(target: MetaGraphTarget, trained: Trained, run_directory: Path) -> Written:
    path = run_directory / target.file
    message = build_meta_graph(target, trained.network, resource=target.resource_variables)
    if target.form == "json":
        write_atomically(path, graph.meta_graph_json(message))
    else:
        graph.save_meta_graph(message, path, as_text=target.form == "text")
    return Written(path, [path])


def _readings(
    target: MetaGraphTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    images = to_input(trained.network, pixels)
    logits = run_meta_graph(artifact.path, target, images, trained.current)
    yield Reading(artifact.target, logits, trained.current)


META_GRAPH = Kind(write=_write, readings=_readings)
