"""A graph as one self-contained HTML page: what it is, and its scopes, one picture at a time."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from pipeline import execution
from pipeline.checkpoint import Description
from pipeline.config import ConfigError
from pipeline.drawing.operations import COLUMNS, operation_row
from pipeline.drawing.picture import MOST_DRAWN, draw
from pipeline.drawing.scopes import Box, ScopedGraph, Shapes, View, scopes_of
from pipeline.execution.ends import end_text
from pipeline.files import write_atomically
from pipeline.inspection.graphs import DescribedGraph
from pipeline.inspection.redrawing import with_functions, without_reads
from pipeline.report import quantities
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.page import Section, page
from pipeline.report.table import Column, table

_MOST_SCOPES = 1500
_MOST_STEPS = 10    # of the way to a scope, at either end of it


def save_graph_page(
    description: Description, graphs: Sequence[DescribedGraph], destination: str
) -> Path:
    """Writes the page, crash-safely; returns its path.

    Raises:
        ConfigError: there can be no such file.
    """
    path = Path(destination)
    name = Path(description.path).name
    sections = [section for number, each in enumerate(graphs)
                for section in _sections(each, "" if len(graphs) == 1 else f" {number + 1}")]
    header = tag("header", tag("p", description.kind.value, class_="kind"), tag("h1", name),
                 tag("p", description.path, class_="caption"), class_="slim")
    style = "".join(resources.files(room).joinpath(file).read_text("utf-8") for room, file in (
        ("pipeline.drawing", "drawing.css"), ("pipeline.inspection", "scopes.css")))
    try:
        write_atomically(path, page(f"{name} · jaxfrost", header, sections, style=style))
    except OSError as error:
        raise ConfigError(f"destination={destination}: {error.strerror}") from None
    return path


def _sections(described: DescribedGraph, number: str) -> list[Section]:
    found = described.description
    return [
        Section(f"what{number.strip()}", f"What it is{number}", _overview(described)),
        Section(f"graph{number.strip()}", f"Graph{number}", _Pictures(described, number).drawn()),
        Section(f"ops{number.strip()}", f"Operations by kind{number}", table(
            [Column("op"), Column("nodes", numeric=True)],
            [[op, quantities.count(count)] for op, count in found.ops.items()])),
    ]


def _overview(described: DescribedGraph) -> Markup:
    found = described.description
    facts: list[Child] = [
        f"producer {found.producer} · {quantities.count(found.nodes)} nodes · "
        f"{quantities.count(found.parameters)} parameters · ",
        f"{quantities.count(found.flops)} FLOPs for a batch of {found.batch}"
        if found.flops is not None else f"FLOPs unknown: {found.no_flops}"]
    ends = [[kind, tag("code", end_text(end))] for kind, each in (
        ("input", found.inputs), ("output", found.outputs)) for end in each]
    scopes = [[name, quantities.count(count)] for name, count in found.scopes.items()]
    trouble = [[f"not executed here: {op}" + (
                    "" if op in found.hindering else ", which the outputs do not need"),
                tag("code", ", ".join(nodes))]
               for op, nodes in found.unsupported.items()]
    trouble += [[f"{each.program}: {each.reason}", tag("code", ", ".join(each.nodes))]
                for each in found.refusals]
    return join([
        tag("p", *facts), *(tag("p", note, class_="caption") for note in described.notes),
        table([Column(""), Column("tensor")], ends) if ends else None,
        table([Column("scope"), Column("parameters", numeric=True)], scopes) if scopes else None,
        table([Column("who refuses it, or reads it wrongly"), Column("nodes")], trouble,
              class_="operations") if trouble else None])


class _Pictures:
    """Every scope of a graph as a part of the page; the style shows the one that is asked for."""

    def __init__(self, described: DescribedGraph, number: str) -> None:
        graph_def = without_reads(with_functions(described.graph_def))
        self._graph = ScopedGraph(graph_def)
        self._shapes: Shapes = execution.tensor_shapes(
            described.graph_def, described.description.inputs,
            [end.name for end in described.description.outputs])
        names = [node.name for node in graph_def.node]
        self._prefix = f"g{number.strip()}"
        self._anchors = {name: f"{self._prefix}n{place}" for place, name in enumerate(names)}
        scopes = dict.fromkeys(scope for name in names for scope in scopes_of(name))
        self._left = len(scopes) - _MOST_SCOPES
        self._scopes = {scope: f"{self._prefix}s{place}"
                        for place, scope in enumerate(["", *list(scopes)[:_MOST_SCOPES]])}

    def drawn(self) -> Markup:
        """All of them, the whole graph first."""
        left = tag("p", f"{quantities.count(self._left)} more scopes are not drawn.",
                   class_="none") if self._left > 0 else None
        return join([*map(self._scope, self._scopes), left])

    def _scope(self, scope: str) -> Markup:
        view = self._graph.look_into(scope)
        if view is None:  # a graph without nodes
            return tag("p", "The graph is empty.", class_="none")
        own = [box.node for box in view.boxes.values() if box.inside and box.kind != "scope"]
        rows = [operation_row(node, self._shapes, self._anchors[node.name]) for node in own]
        picture = draw(view, self._shapes, self._link) if len(view.boxes) <= MOST_DRAWN else \
            tag("p", f"{quantities.count(len(view.boxes))} boxes are too many for a picture.",
                class_="none")
        return tag("div", self._path(scope), picture, self._inside(view),
                   table(COLUMNS, rows, class_="operations") if rows else None,
                   id=self._scopes[scope], class_="scope-view" + ("" if scope else " whole"))

    def _inside(self, view: View) -> Markup | None:
        """The scopes in this one, to go on to where the picture is too large."""
        if len(view.boxes) <= MOST_DRAWN:
            return None
        inside = [box for box in view.boxes.values() if box.kind == "scope" and box.inside]
        return tag("p", *(part for box in inside for part in (self._to(box.name), " ")))

    def _link(self, box: Box) -> str | None:
        if box.kind == "scope":
            return f"#{self._scopes[box.name]}" if box.name in self._scopes else None
        return f"#{self._anchors[box.name]}"

    def _to(self, scope: str) -> Child:
        title = scope.rpartition("/")[2] or "graph"
        return tag("a", title, href=f"#{self._scopes[scope]}") if scope in self._scopes else title

    def _path(self, scope: str) -> Markup:
        """The way from the whole graph to this scope."""
        above = ["", *scopes_of(scope)]
        if len(above) > 2 * _MOST_STEPS:
            above = [*above[:_MOST_STEPS], "", *above[-_MOST_STEPS:]]
        steps = [part for place, each in enumerate(above)
                 for part in (self._to(each) if each or not place else "…", " / ")]
        return tag("p", *(steps if scope else []), scope.rpartition("/")[2] if scope else "graph",
                   class_="caption")
