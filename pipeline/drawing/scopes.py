"""A graph seen from one of its scopes: what is in it, and what beside it takes part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from google.protobuf.message import Message

from pipeline import execution, graph
from pipeline.config.persistence import GraphNames
from pipeline.model import Network

Kind: TypeAlias = Literal["operation", "constant", "scope"]
Shape: TypeAlias = tuple[int | None, ...]    # None: the batch, or whatever else varies with it
Shapes: TypeAlias = Mapping[str, Shape]


@dataclass(frozen=True)
class Box:
    """One thing of the picture: an operation, or a scope with all that is in it."""

    kind: Kind
    name: str                  # the full name of the node or scope
    inside: bool               # of the scope that is looked at
    nodes: dict[str, Message] = field(default_factory=dict)    # by name; a scope's are all in it

    @property
    def title(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def node(self) -> Message:
        """The node of a box that is no scope."""
        return self.nodes[self.name]


Key: TypeAlias = tuple[bool, str]      # whether a scope, and its name: `logits` may be both


@dataclass(frozen=True)
class View:
    """Boxes in the order of the graph, and the tensors between them: (from, to) → tensor's name."""

    scope: str
    boxes: dict[Key, Box]
    wires: dict[tuple[Key, Key], str]

    @property
    def nodes(self) -> list[Message]:
        """All nodes of the scope, those of scopes in it too."""
        return [node for box in self.boxes.values() if box.inside
                for node in box.nodes.values()]


class ScopedGraph:
    """A graph to look into at one scope after the other; a look costs what is seen in it."""

    def __init__(self, graph_def: Message) -> None:
        self._by_name = graph.node_map(graph_def.node)
        self._inputs = {node.name: list(_data_inputs(node, self._by_name))
                        for node in graph_def.node}
        self._nodes: dict[str, dict[str, Message]] = {}      # of a scope, inner ones included
        self._touching: dict[str, dict[str, Message]] = {}   # these, and what reads from them
        for node in graph_def.node:
            own = ["", *scopes_of(node.name)]
            for scope in own:
                self._nodes.setdefault(scope, {})[node.name] = node
            for scope in (*own, *(scope for name in self._inputs[node.name]
                                  for scope in scopes_of(name.partition(":")[0]))):
                self._touching.setdefault(scope, {})[node.name] = node

    def look_into(self, scope: str) -> View | None:
        """What is seen from `scope` (the whole graph is ""); None when nothing is in it."""
        if scope not in self._nodes:
            return None
        view = View(scope, {}, {})
        for node in self._touching[scope].values():
            for name in self._inputs[node.name]:
                source = name.partition(":")[0]
                if _under(node.name, scope) or _under(source, scope):
                    ends = _box(view, self._by_name[source]), _box(view, node)
                    if ends[0] != ends[1]:
                        view.wires.setdefault(ends, name)
            if _under(node.name, scope):
                _box(view, node)
        for (is_scope, name), box in view.boxes.items():
            box.nodes.update(self._nodes[name] if is_scope else {name: self._by_name[name]})
        return view


def scopes_of(name: str) -> list[str]:
    """`a/b/c` → `a`, `a/b`."""
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _data_inputs(node: Message, by_name: Mapping[str, Message]) -> Iterator[str]:
    for text in node.input:
        ref = graph.parse_ref(text)
        if ref.output != graph.CONTROL and ref.node in by_name:
            yield f"{ref.node}:{ref.output}"


def _box(view: View, node: Message) -> Key:
    """The box that stands for a node, made when it is met first."""
    key = _place(node.name, view.scope)
    inside = _under(key[1], view.scope)
    leaf: Kind = "constant" if node.op == "Const" else "operation"
    view.boxes.setdefault(key, Box("scope" if key[0] else leaf, key[1], inside))
    return key


def _place(name: str, scope: str) -> Key:
    """Where the path of a node leaves that of the scope: one part further is its box."""
    parts, here = name.split("/"), scope.split("/") if scope else []
    depth = 0
    while depth < min(len(here), len(parts) - 1) and parts[depth] == here[depth]:
        depth += 1
    return depth + 1 < len(parts), "/".join(parts[:depth + 1])


def _under(name: str, scope: str) -> bool:
    return not scope or name.startswith(scope + "/")


def tensor_shapes(graph_def: Message, names: GraphNames, network: Network) -> Mapping[str, Shape]:
    """The shape of every node's first output, by node; those alone that can be told."""
    images = execution.End(names.input, (None, *network.input_shape), "DT_FLOAT")
    return execution.tensor_shapes(graph_def, [images], [node.name for node in graph_def.node])
