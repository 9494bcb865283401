"""The graph by scopes: a picture of one scope, and its operations."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from pipeline.drawing.operations import COLUMNS, operation_row
from pipeline.drawing.picture import MOST_DRAWN, draw
from pipeline.drawing.scopes import Box, Shapes, View
from pipeline.report import quantities
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.page import Section
from pipeline.report.table import table
from pipeline.serve.errors import Refusal
from pipeline.serve.shell import shell
from pipeline.serve.subject import Subject
from pipeline.serve.variables_page import address as variable_address

_MOST_LISTED = 1000


def graph_page(subject: Subject, scope: str) -> str:
    """The page of one scope; of the whole graph for ""."""
    view = subject.scoped_graph.look_into(scope)
    if view is None:
        raise Refusal(HTTPStatus.NOT_FOUND, f"scope={scope}: nothing in the graph is under it")
    return shell(subject, "/graph", [
        Section("graph", scope or "Graph", join([_path(subject, scope), _picture(
            subject, view, subject.shapes)])),
        Section("operations", "Operations", _operations(view, subject.shapes)),
    ])


def _picture(subject: Subject, view: View, shapes: Shapes) -> Markup:
    if len(view.boxes) > MOST_DRAWN:
        return tag("p", f"{quantities.count(len(view.boxes))} boxes are too many for a picture.",
                   class_="none")

    def link(box: Box) -> str | None:
        if box.kind == "scope":
            return address(box.name)
        if box.name in subject.variables:
            return variable_address(box.name)
        return f"#{box.name}" if box.inside else None

    return draw(view, shapes, link)


def address(scope: str) -> str:
    """Where a scope is shown."""
    return "/graph?" + urlencode({"scope": scope}) if scope else "/graph"


def _path(subject: Subject, scope: str) -> Markup:
    """The way from the whole graph to this scope."""
    parts = scope.split("/") if scope else []
    steps: list[Child] = [tag("a", subject.voices[0].source, href=address("")) if parts
                          else subject.voices[0].source]
    for depth, part in enumerate(parts, start=1):
        steps += [" / ", tag("a", part, href=address("/".join(parts[:depth])))
                  if depth < len(parts) else part]
    return tag("p", *steps, class_="caption")


def _operations(view: View, shapes: Shapes) -> Markup:
    nodes = view.nodes
    rows = [operation_row(node, shapes, node.name) for node in nodes[:_MOST_LISTED]]
    left = len(nodes) - len(rows)
    return join([table(COLUMNS, rows, class_="operations"),
                 tag("p", f"and {quantities.count(left)} more", class_="none") if left else None])
