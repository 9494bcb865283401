"""A look into whatever a path is: printed, and for a graph drawn where that is asked for.

A checkpoint is answered for as fast as NumPy loads; a graph waits for JAX, which knows what can be
executed, at which cost.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.checkpoint.description import Description, describe
from pipeline.checkpoint.difference import compare_arrays, compare_checkpoints
from pipeline.checkpoint.listing import format_description
from pipeline.checkpoint.names import checkpoint_exists
from pipeline.checkpoint.recognise import Kind, Recognised, recognise
from pipeline.checkpoint.step_record import check_step, tell_check
from pipeline.config.errors import ConfigError
from pipeline.config.inspection import InspectConfig, MetaGraphField
from pipeline.config.several_runs import several_runs
from pipeline.inspection.phone_models import describe_phone_model

if TYPE_CHECKING:
    from pipeline.inspection.graphs import DescribedGraph

_GRAPHS = (Kind.GRAPH, Kind.SAVED_MODEL)


def look(
    path: str, destination: str | None, field: MetaGraphField | None, options: InspectConfig
) -> bool:
    """Prints what a path holds.

    Args:
        path: a checkpoint by prefix, file or directory, a run, a SavedModel, an orbax step, a graph
            file; anything else is named.
        destination: of an HTML page that draws the graph.
        field: of a MetaGraph, to print instead.
        options: how closely, and in which form.

    Returns:
        Whether all is sound, and of two checkpoints, whether they are equal.

    Raises:
        ConfigError: the options ask for what there is not.
        PipelineError: nothing is there, or it cannot be read.
    """
    if options.batch < 1:
        raise ConfigError(f"inspect.batch={options.batch}: expected a number of examples, from 1")
    if options.diff is not None:
        return _compare(path, options.diff, as_json=options.json)
    if field is None and destination is None and (
            text := describe_phone_model(path, as_json=options.json)) is not None:
        print(text)
        return True
    found = recognise(path)
    if field is not None:
        _print_field(found, field, as_json=options.json)
        return True
    if destination is not None:
        _check_destination(destination, path, found)
    description, graphs = _describe(path, found, options)
    if options.json:
        print(_as_json(description, graphs))
    else:
        print("\n".join([format_description(description), *map(str, graphs)]))
    if destination is not None:
        _draw(description, graphs, destination)
    return description.is_sound


def _check_destination(destination: str, path: str, found: Recognised) -> None:
    if found.kind not in _GRAPHS:
        raise ConfigError(f"destination={destination}: a graph can be drawn, and {path} is no "
                          f"graph: {found.kind.value}; give a .pb, .meta or SavedModel")
    if not destination.endswith((".html", ".htm")):
        raise ConfigError(f"destination={destination}: the page that draws a graph is HTML; "
                          "expected a name that ends in .html")


def _describe(
    path: str, found: Recognised, options: InspectConfig
) -> tuple[Description, list[DescribedGraph]]:
    if found.kind is Kind.ORBAX:
        from pipeline.inspection.arrays import describe_arrays

        tensors = describe_arrays(found.path, verify=options.verify, statistics=options.stats)
        notes, damage = tell_check(found.path, content=options.verify)
        notes = (found.note, *notes) if found.note else notes
        return Description(found.path, found.kind, notes, tensors, damage), []
    if found.kind not in _GRAPHS:
        description = describe(path, verify=options.verify, statistics=options.stats)
        if found.kind is Kind.DIRECTORY and (several := several_runs(Path(path))):
            description = dataclasses.replace(description, notes=(several,))
        return description, []
    from pipeline.inspection.graphs import describe_graphs  # brings JAX

    file, graphs = describe_graphs(found.path, options.batch)
    notes = (f"a {file.message}, {file.form}", *([found.note] if found.note else []))
    if found.kind is Kind.GRAPH:
        return Description(found.path, found.kind, notes), graphs
    variables = describe(found.path, verify=options.verify, statistics=options.stats)
    return dataclasses.replace(variables, path=found.path, notes=notes), graphs


def _as_json(description: Description, graphs: list[DescribedGraph]) -> str:
    record = json.loads(description.to_json())
    if graphs:
        record["graphs"] = [graph.record() for graph in graphs]
    return json.dumps(record, indent=1, ensure_ascii=False)


def _print_field(found: Recognised, field: MetaGraphField, *, as_json: bool) -> None:
    from pipeline.inspection.graph_files import field_text

    path = found.path
    if found.kind is Kind.CHECKPOINT:
        path = f"{found.path}.meta"
    if found.kind not in (*_GRAPHS, Kind.CHECKPOINT) or not os.path.exists(path):
        raise ConfigError(f"field={field}: {path} is no MetaGraph; give a .meta "
                          "file, a SavedModel, or a checkpoint that has a .meta")
    print(field_text(path, field, as_json=as_json))


def _compare(first: str, second: str, *, as_json: bool) -> bool:
    one, other = recognise(first), recognise(second)
    for found in (one, other):
        if not (found.kind is Kind.ORBAX or found.kind is Kind.SAVED_MODEL
                or checkpoint_exists(found.path)):
            raise ConfigError(f"inspect.diff: {found.path} is {found.what}; "
                              "two checkpoints can be compared")
    if Kind.ORBAX in (one.kind, other.kind):
        from pipeline.checkpoint import load_checkpoint
        from pipeline.inspection.arrays import StepArrays

        for found in (one, other):
            if found.kind is Kind.ORBAX:
                check_step(found.path)
        difference = compare_arrays(*(
            StepArrays(found.path) if found.kind is Kind.ORBAX else load_checkpoint(found.path)
            for found in (one, other)))
    else:
        difference = compare_checkpoints(one.path, other.path)
    print(difference.to_json() if as_json else difference)
    return not difference


def _draw(description: Description, graphs: list[DescribedGraph], destination: str) -> None:
    from pipeline.inspection.graph_page import save_graph_page

    print(save_graph_page(description, graphs, destination))
