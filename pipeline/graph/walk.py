"""Walking a graph: references, nodes by name, and the nodes that some of them need, in order.

    input of a node: "name" | "name:output" | "^name" (run before: control)
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from google.protobuf.message import Message

from pipeline.graph.errors import GraphError

CONTROL = -1
_BACK_EDGE = ("NextIteration", "RefNextIteration")
_OUTPUT = re.compile(r"(?P<node>[^:^]+):(?P<output>\d{1,9})", re.ASCII)


class Ref(NamedTuple):
    """One output of a node; `CONTROL` for the bare "has run"."""

    node: str
    output: int

    def __str__(self) -> str:
        if self.output == CONTROL:
            return f"^{self.node}"
        return self.node if self.output == 0 else f"{self.node}:{self.output}"


def parse_ref(text: str) -> Ref:
    """`"add"` → (add, 0), `"split:1"` → (split, 1), `"^init"` → (init, CONTROL).

    Raises:
        GraphError: the text is none of these.
    """
    if text.startswith("^") and ":" not in text and len(text) > 1:
        return Ref(text[1:], CONTROL)
    if ":" not in text and text and not text.startswith("^"):
        return Ref(text, 0)
    match = _OUTPUT.fullmatch(text)
    if match is None:
        raise GraphError(f"{text!r} names no tensor; expected 'name', 'name:output' or '^name'")
    return Ref(match["node"], int(match["output"]))


def node_map(nodes: Iterable[Message]) -> dict[str, Message]:
    """Nodes by name, in their order.

    Raises:
        GraphError: a name is empty or used twice.
    """
    found: dict[str, Message] = {}
    for node in nodes:
        if not node.name:
            raise GraphError(f"a node of op {node.op!r} has no name")
        if node.name in found:
            raise GraphError(f"node {node.name!r} is defined twice ({found[node.name].op} and "
                             f"{node.op}); every node needs its own name")
        found[node.name] = node
    return found


def topological_order(
    nodes: Mapping[str, Message],
    targets: Iterable[str],
    *,
    stop: Iterable[str] = (),
    control: bool = True,
) -> list[str]:
    """The names of `targets` and of all nodes they need, each after the nodes it takes inputs from.

    Nodes in `stop` are listed but not followed. Control inputs are followed when `control` is set.
    The edge that closes a TF1 loop (`NextIteration` → `Merge`) is followed without ordering it.

    Raises:
        GraphError: a target or an input is missing, or the nodes form a cycle.
    """
    ends, order = frozenset(stop), list[str]()
    state: dict[str, bool] = {}   # False: its inputs are being visited; True: in `order`
    waiting = list(reversed(list(targets)))
    while waiting:
        root = waiting.pop()
        if root not in state:
            _visit(root, nodes, ends, control, state, order, waiting)
    return order


def sources_of(nodes: Iterable[Message], *, control: bool = False) -> dict[str, set[str]]:
    """The nodes that each node takes tensors of; with `control` those it waits for, too."""
    return {node.name: {ref.node for ref in map(parse_ref, node.input)
                        if control or ref.output != CONTROL} for node in nodes}


def closure(start: Iterable[str], following: Mapping[str, Set[str]]) -> set[str]:
    """All names that are reached from some, themselves included."""
    found: set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += following.get(name, ())
    return found


def missing_node(name: str, nodes: Iterable[str], wanted_by: str = "") -> GraphError:
    """The error for a name that no node has, with the nearest names there are."""
    near = difflib.get_close_matches(name, list(nodes)[:5000], n=3)
    hint = f"; did you mean {', '.join(map(repr, near))}?" if near else ""
    by = f", which {wanted_by} takes as an input" if wanted_by else ""
    return GraphError(f"graph has no node {name!r}{by}{hint}")


def _visit(
    root: str, nodes: Mapping[str, Message], ends: frozenset[str], control: bool,
    state: dict[str, bool], order: list[str], later: list[str],
) -> None:
    """Depth first from one root without recursion; loops' back edges are put off to `later`."""
    def open_node(name: str, wanted_by: str) -> None:
        if name not in nodes:
            raise missing_node(name, nodes, wanted_by)
        state[name] = False
        stack.append((name, iter(() if name in ends else _inputs(nodes, name, control, later))))

    stack: list[tuple[str, Iterable[str]]] = []
    open_node(root, "")
    while stack:
        name, remaining = stack[-1]
        for below in remaining:
            if below not in state:
                open_node(below, repr(name))
                break
            if not state[below]:
                names = [entry[0] for entry in stack]
                raise GraphError("graph has a cycle: "
                                 + " ← ".join([*names[names.index(below):], below][-8:]))
        else:
            stack.pop()
            state[name] = True
            order.append(name)


def _inputs(
    nodes: Mapping[str, Message], name: str, control: bool, later: list[str]
) -> list[str]:
    refs = [parse_ref(text) for text in nodes[name].input]
    followed = [ref.node for ref in refs if control or ref.output != CONTROL]
    if nodes[name].op not in ("Merge", "RefMerge"):
        return followed
    back = {below for below in followed if below in nodes and nodes[below].op in _BACK_EDGE}
    later.extend(sorted(back))
    return [below for below in followed if below not in back]
