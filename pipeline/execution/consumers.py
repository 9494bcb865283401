"""Which other programs would refuse a graph, or read it wrongly.

One row per detail, as measured with TensorFlow 1.15 and 2.21, OpenCV 5 and the converters: see
"What is picky about what" in the documentation of the formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from google.protobuf.message import Message

from pipeline import graph

Nodes = Mapping[str, Message]


class Refusal(NamedTuple):
    """A program, why it would not take the graph, and the first nodes that show it."""

    program: str
    reason: str
    nodes: tuple[str, ...]


def find_refusals(nodes: Nodes) -> list[Refusal]:
    """All rows that apply to a graph."""
    found = []
    for program, reason, select in _ROWS:
        shown = tuple(select(nodes))
        if shown:
            found.append(Refusal(program, reason, shown[:5]))
    return found


def _of_ops(*ops: str) -> Callable[[Nodes], Iterator[str]]:
    return lambda nodes: (name for name, node in nodes.items() if node.op in ops)


def _inputs(nodes: Nodes, node: Message) -> list[Message]:
    refs = [graph.parse_ref(text).node for text in node.input if not text.startswith("^")]
    return [nodes[name] for name in refs if name in nodes]


def _added_to_conv(nodes: Nodes) -> Iterator[str]:
    for name, node in nodes.items():
        if node.op in ("Add", "AddV2") and any(each.op.startswith("Conv") for each
                                               in _inputs(nodes, node)):
            yield name


def _dilated(nodes: Nodes) -> Iterator[str]:
    for name, node in nodes.items():
        if node.op.startswith("Conv2D") and "dilations" in node.attr and any(
                size != 1 for size in node.attr["dilations"].list.i):
            yield name


def _reshaped_into_conv(nodes: Nodes) -> Iterator[str]:
    for name, node in nodes.items():
        if node.op == "Conv2D" and any(each.op == "Reshape" for each in _inputs(nodes, node)[:1]):
            yield name


def _unknown_attrs(nodes: Nodes) -> Iterator[str]:
    for name, node in nodes.items():
        if graph.has_op_def(node.op):
            known = graph.signature(node.op).attr_types
            if any(key not in known and not key.startswith("_") for key in node.attr):
                yield name


def _with_explicit_defaults(nodes: Nodes) -> Iterator[str]:
    newer = {"explicit_paddings", "grad_a", "grad_b", "grad_x", "grad_y", "dilations"}
    for name, node in nodes.items():
        if newer & set(node.attr):
            yield name


_CONTROL = ("Switch", "Merge", "If", "StatelessIf", "While", "StatelessWhile", "Enter")
_ROWS: list[tuple[str, str, Callable[[Nodes], Iterator[str]]]] = [
    ("OpenCV", "a bias added to a convolution by Add; BiasAdd is read", _added_to_conv),
    ("TensorFlow ≤ 1.4", "AddV2 did not exist", _of_ops("AddV2")),
    ("OpenCV", "dilated convolutions are computed wrongly, without a word", _dilated),
    ("TensorFlow ≤ 1.4", "dilations were unknown", _dilated),
    ("TensorFlow ≤ 1.15", "attributes are spelled out that came later",
     _with_explicit_defaults),
    ("OpenCV", "a flat input is reshaped before a convolution; offer a 4-D one",
     _reshaped_into_conv),
    ("most programs but TensorFlow", "branches and loops", _of_ops(*_CONTROL)),
    ("TensorFlow ≤ 1.15", "attributes that no op definition has", _unknown_attrs),
]
