"""Nodes as the compiler rewires them: loops are lifted, fed tensors cut, functions flattened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf.message import Message

from pipeline import graph
from pipeline.graph import Ref


class Wire(NamedTuple):
    """One node: `proto` has its attributes as read, `attrs` those the compiler adds or replaces."""

    name: str
    op: str
    input: tuple[str, ...]
    proto: Message | None
    attrs: Mapping[str, Any] = {}


Wires = dict[str, Wire]


def wires_of(nodes: Iterable[Message]) -> Wires:
    """Wires by name of a GraphDef's nodes.

    Raises:
        GraphError: a name is empty or used twice.
    """
    return {name: Wire(name, node.op, tuple(node.input), node)
            for name, node in graph.node_map(nodes).items()}


def feed_name(index: int) -> str:
    """The node that stands for input `index` of a program; no graph has a node of that name."""
    return f"\0input{index}"


def cut(wires: Wires, inputs: Iterable[Ref]) -> Wires:
    """The same wires with every reference to one of `inputs` led to that input's feed."""
    fed = {ref: feed_name(index) for index, ref in enumerate(inputs)}
    feeds = {name: Wire(name, "\0Feed", (), None) for name in fed.values()}
    if not fed:
        return wires
    touched = {ref.node for ref in fed}

    def lead(text: str) -> str:
        if text.partition(":")[0] not in touched:
            return text
        ref = graph.parse_ref(text)
        return fed.get(ref, text)

    led = {name: wire if touched.isdisjoint(text.partition(":")[0] for text in wire.input)
           else wire._replace(input=tuple(map(lead, wire.input))) for name, wire in wires.items()}
    return led | feeds


def data_refs(wire: Wire) -> list[Ref]:
    """The tensors a node takes, control inputs left out."""
    return [graph.parse_ref(text) for text in wire.input if not text.startswith("^")]
