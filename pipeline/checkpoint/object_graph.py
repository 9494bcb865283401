"""TensorFlow 2's checkpoints, SavedModels' among them: variables found by their path in an object.

Such a bundle holds one more string tensor, the graph of the objects that were saved:

    TrackableObjectGraph: 1 nodes {1 children {1 node_id, 2 local_name},
                                   2 attributes {1 name, 2 full_name, 3 checkpoint_key},
                                   5 has_checkpoint_values {1 value}}       node 0 is the root

`model.layers[0].kernel` has the path `model/layers/0/kernel`, is stored under the key
`model/layers/0/kernel/.ATTRIBUTES/VARIABLE_VALUE`, and may be reached on other paths as well.
Within a key, a local name's `/` is `.S` and its `.` is `..` (field numbers and escapes:
tensorflow/core/protobuf/trackable_object_graph.proto and files that TensorFlow 2.21 wrote).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.checkpoint import wire
from pipeline.checkpoint.errors import DataLossError
from pipeline.checkpoint.names import decode_name, encode_name

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_ATTRIBUTE = "VARIABLE_VALUE"
_SUFFIX = f"/.ATTRIBUTES/{_ATTRIBUTE}"


@dataclass
class _Node:
    children: dict[str, int] = field(default_factory=dict)
    key: str | None = None
    full_name: str = ""


class ObjectGraph:
    """The objects of a checkpoint, by path and by the full name that a variable had.

    `keys` has the stored key of each variable by its path, in the order of the graph.

    Raises:
        DataLossError: `message` is no TrackableObjectGraph.
    """

    def __init__(self, message: bytes) -> None:
        self._nodes = [_decode_node(wire.expect_bytes(number, value))
                       for number, value in wire.decode_fields(message) if number == 1]
        self.keys: dict[str, str] = {}
        self._by_full_name: dict[str, str | None] = {}
        for node in self._nodes:
            if any(child >= len(self._nodes) for child in node.children.values()):
                raise DataLossError(f"{GRAPH_KEY}: a node refers to one that is not there")
            if node.key is not None:
                self.keys[_unescape(node.key.removesuffix(_SUFFIX))] = node.key
                ambiguous = node.full_name in self._by_full_name
                self._by_full_name[node.full_name] = None if ambiguous else node.key

    def find(self, name: str) -> str | None:
        """The stored key of a variable by path, by any other path to it, or by its full name."""
        return self.keys.get(name) or self._walk(name) or self._by_full_name.get(name)

    def _walk(self, path: str) -> str | None:
        seen: set[tuple[int, int]] = set()
        waiting = [(0, 0)] if self._nodes else []
        while waiting:
            index, start = waiting.pop()
            for name, child in self._nodes[index].children.items():
                end = start + len(name)
                if not path.startswith(name, start) or (child, end) in seen:
                    continue
                seen.add((child, end))
                if end == len(path):
                    return self._nodes[child].key
                if path[end] == "/":
                    waiting.append((child, end + 1))
        return None


def encode_object_graph(paths: Iterable[str]) -> bytes:
    """The TrackableObjectGraph of variables at these paths."""
    nodes = [_Node()]
    for path in paths:
        index = 0
        for name in path.split("/"):
            if name not in nodes[index].children:
                nodes[index].children[name] = len(nodes)
                nodes.append(_Node())
            index = nodes[index].children[name]
        nodes[index].key, nodes[index].full_name = key_of(path), path
    return b"".join(wire.encode_bytes_field(1, _encode_node(node)) for node in nodes)


def _encode_node(node: _Node) -> bytes:
    message = b""
    for name, child in node.children.items():
        reference = wire.encode_varint_field(1, child) + _text(2, name)
        message += wire.encode_bytes_field(1, reference)
    if node.key is not None:
        attribute = _text(1, _ATTRIBUTE) + _text(2, node.full_name) + _text(3, node.key)
        message += wire.encode_bytes_field(2, attribute)
    return message + wire.encode_bytes_field(5, wire.encode_varint_field(1, 1))


def _decode_node(message: bytes) -> _Node:
    node = _Node()
    for number, value in wire.decode_fields(message):
        if number == 1:
            fields = dict(wire.decode_fields(wire.expect_bytes(1, value)))
            child = wire.expect_int(1, fields.get(1, 0))
            node.children[decode_name(wire.expect_bytes(2, fields.get(2, b"")))] = child
        elif number == 2:
            fields = dict(wire.decode_fields(wire.expect_bytes(2, value)))
            key = decode_name(wire.expect_bytes(3, fields.get(3, b"")))
            if key.endswith(_SUFFIX):
                node.key = key
                node.full_name = decode_name(wire.expect_bytes(2, fields.get(2, b"")))
    return node


def _text(number: int, value: str) -> bytes:
    return wire.encode_bytes_field(number, encode_name(value))


def key_of(path: str) -> str:
    """The stored key of the variable at a path."""
    return "/".join(name.replace(".", "..") for name in path.split("/")) + _SUFFIX


def _unescape(path: str) -> str:
    return re.sub(r"\.([.S])", lambda found: "/" if found[1] == "S" else ".", path)
