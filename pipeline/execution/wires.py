"""Nodes as the compiler rewires them: loops are lifted, fed tensors cut, functions flattened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf.message import Message

from pipeline import graph
from pipeline.execution.errors import ExecutionError
from pipeline.graph import Ref


class Wire(NamedTuple):
    """One node.

    `proto` has its attributes as read, `attrs` those the compiler adds or replaces, `caller` those
    of the function call that it lies in.
    """

    name: str
    op: str
    input: tuple[str, ...]
    proto: Message | None
    attrs: Mapping[str, Any] = {}
    caller: Mapping[str, Any] = {}


Wires = dict[str, Wire]


def wires_of(nodes: Iterable[Message]) -> Wires:
    """Wires by name of a GraphDef's nodes.

    Raises:
        GraphError: a name is empty or used twice.
    """
    return {name: Wire(name, node.op, tuple(node.input), node)
            for name, node in graph.node_map(nodes).items()}


FEED = "\0Feed"


def feed_name(index: int) -> str:
    """The node that stands for input `index` of a program; no graph has a node of that name."""
    return f"\0input{index}"


def cut(wires: Wires, inputs: Iterable[Ref]) -> Wires:
    """The wires with every reference to one of `inputs` led to that input's feed.

    A node that has a cut output need not run any more for those that only wait for it.
    """
    fed = {ref: feed_name(index) for index, ref in enumerate(inputs)}
    if not fed:
        return wires
    touched = {ref.node for ref in fed} | {f"^{ref.node}" for ref in fed}

    def lead(text: str) -> str:
        if text.partition(":")[0] not in touched:
            return text
        return fed.get(graph.parse_ref(text), text)

    def led(wire: Wire) -> Wire:
        if touched.isdisjoint(text.partition(":")[0] for text in wire.input):
            return wire
        kept = [text for text in wire.input if text[0] != "^" or text not in touched]
        return wire._replace(input=tuple(map(lead, kept)))

    feeds = {name: Wire(name, FEED, (), None) for name in fed.values()}
    return {name: led(wire) for name, wire in wires.items()} | feeds


def data_refs(wire: Wire) -> list[Ref]:
    """The tensors that a node takes, control inputs left out."""
    return [graph.parse_ref(text) for text in wire.input if not text.startswith("^")]


def data_ref(wire: Wire, place: int) -> Ref:
    """The tensor that a node takes at a place.

    Raises:
        ExecutionError: it takes fewer.
    """
    refs = data_refs(wire)
    if place >= len(refs):
        raise ExecutionError(f"{wire.op} node {wire.name!r} has {len(refs)} inputs; "
                             f"expected {place + 1} or more")
    return refs[place]


def check_names(**named: Sequence[str]) -> None:
    """Raises where a single name is given for several.

    Raises:
        ExecutionError: one of the arguments is a string.
    """
    for what, names in named.items():
        if isinstance(names, str):
            raise ExecutionError(f"{what}: the string {names!r}; expected names, [{names!r}]")
