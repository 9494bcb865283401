"""The operations of a scope as the rows of a table."""

from __future__ import annotations

from google.protobuf.message import Message

from pipeline import graph
from pipeline.drawing.picture import constant_text, shape_text
from pipeline.drawing.scopes import Shapes
from pipeline.report.markup import Child, Markup, tag
from pipeline.report.table import Column

COLUMNS = [Column("operation"), Column("op"), Column("output"), Column("inputs"),
           Column("attributes")]


def operation_row(node: Message, shapes: Shapes, anchor: str) -> Markup:
    """A row of the table of operations, which `#anchor` leads to."""
    values: list[Child] = [
        tag("code", node.name), node.op, _output(node, shapes),
        tag("code", ", ".join(node.input)), _attributes(node)]
    return tag("tr", *(tag("td", value) for value in values), id=anchor)


def _output(node: Message, shapes: Shapes) -> str:
    return constant_text(node) if node.op == "Const" else shape_text(shapes.get(node.name))


def _attributes(node: Message) -> str:
    attrs = graph.read_attrs(node)
    return ", ".join(f"{name}={_value(attrs[name])}" for name in sorted(node.attr)
                     if name not in ("value", "T", "dtype") and not name.startswith("_"))


def _value(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)
