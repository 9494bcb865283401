"""Copies of a graph's parts with a prefix before every name."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import DecodeError, Message
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.variable_pb2 import VariableDef

from pipeline import graph
from pipeline.graph import Ref

_VARIABLE_FIELDS = ("variable_name", "initializer_name", "snapshot_name", "initial_value_name")


def prefixed(graph_def: Message, prefix: str, mapped: Mapping[Ref, Ref]) -> Message:
    """A copy with other names; loops' frames get the prefix too, so that copies stay apart."""
    copied = GraphDef()
    copied.CopyFrom(graph_def)
    if not prefix and not mapped:
        return copied
    for node in copied.node:
        node.name = prefix + node.name
        for place, text in enumerate(node.input):
            ref = graph.parse_ref(text)
            node.input[place] = str(mapped[ref] if ref in mapped else Ref(prefix + ref.node,
                                                                        ref.output))
        if "_class" in node.attr:
            colocated = node.attr["_class"].list.s
            colocated[:] = [_below(entry, prefix) for entry in colocated]
        if "frame_name" in node.attr:
            node.attr["frame_name"].s = prefix.encode() + node.attr["frame_name"].s
    return copied


def _below(colocation: bytes, prefix: str) -> bytes:
    head, mark, name = colocation.partition(b"loc:@")
    return head + mark + prefix.encode() + name if mark else colocation


def prefixed_collection(collection: Message, prefix: str) -> Message:
    """A copy of a CollectionDef with its names below the prefix."""
    copied = type(collection)()
    copied.CopyFrom(collection)
    kind = copied.WhichOneof("kind")
    if not prefix or kind not in ("node_list", "bytes_list"):
        return copied
    values = getattr(copied, kind).value
    values[:] = [prefix + each if kind == "node_list" else _variable_def(each, prefix)
                 for each in values]
    return copied


def _variable_def(content: bytes, prefix: str) -> bytes:
    """A serialised VariableDef with its names below the prefix; other bytes as they are."""
    definition = VariableDef()
    try:
        definition.ParseFromString(content)
    except DecodeError:
        return content
    if not definition.variable_name:
        return content
    for field in _VARIABLE_FIELDS:
        if getattr(definition, field):
            setattr(definition, field, prefix + getattr(definition, field))
    return bytes(definition.SerializeToString())


def prefixed_signatures(meta_graph: Message, prefix: str) -> dict[str, Message]:
    """Copies of a MetaGraph's signatures with their names below the prefix."""
    found = {}
    for key, signature in meta_graph.signature_def.items():
        copied = type(signature)()
        copied.CopyFrom(signature)
        for info in (*copied.inputs.values(), *copied.outputs.values()):
            if info.name:
                info.name = prefix + info.name
        found[key] = copied
    return found
