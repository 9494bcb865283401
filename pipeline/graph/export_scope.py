"""One name scope of a MetaGraph as a MetaGraph of its own."""

from __future__ import annotations

from google.protobuf.message import DecodeError, Message
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef
from tensorboard.compat.proto.variable_pb2 import VariableDef

from pipeline.graph.cut import colocations
from pipeline.graph.errors import GraphError
from pipeline.graph.walk import parse_ref

UNBOUND_INPUTS = "unbound_inputs"      # tensorflow/python/framework/meta_graph.py
_UNBOUND = "$unbound_inputs_"


def export_scope(meta_graph: Message, scope: str) -> Message:
    """The nodes whose names begin with `scope/`, named without it.

    Inputs from outside become `$unbound_inputs_NAME`, listed in the collection `unbound_inputs`:
    whoever imports the result says with `input_map` what they are. Variables of the scope stay in
    their collections; Saver and signatures, which name nodes outside, do not.

    Raises:
        GraphError: no node lies in the scope.
    """
    prefix = scope.rstrip("/") + "/"
    made = MetaGraphDef()
    made.meta_info_def.CopyFrom(meta_graph.meta_info_def)
    made.graph_def.versions.CopyFrom(meta_graph.graph_def.versions)
    made.graph_def.library.CopyFrom(meta_graph.graph_def.library)
    unbound: list[str] = []
    for node in meta_graph.graph_def.node:
        if node.name.startswith(prefix):
            _copy_node(made.graph_def.node.add(), node, prefix, unbound)
    if not made.graph_def.node:
        raise GraphError(f"no node of the graph lies in the scope {prefix!r}")
    if unbound:
        made.collection_def[UNBOUND_INPUTS].bytes_list.value.extend(
            name.encode() for name in dict.fromkeys(unbound))
    for key, collection in meta_graph.collection_def.items():
        _copy_collection(made, key, collection, prefix)
    return made


def _copy_node(copy: Message, node: Message, prefix: str, unbound: list[str]) -> None:
    copy.CopyFrom(node)
    copy.name = node.name[len(prefix):]
    for index, text in enumerate(node.input):
        ref = parse_ref(text)
        if ref.node.startswith(prefix):
            copy.input[index] = str(ref._replace(node=ref.node[len(prefix):]))
        else:
            copy.input[index] = str(ref._replace(node=f"{_UNBOUND}{ref.node}"))
            unbound.append(copy.input[index])
    inside = [name[len(prefix):] for name in colocations(node) if name.startswith(prefix)]
    if "_class" in copy.attr:
        del copy.attr["_class"]
    if inside:
        copy.attr["_class"].list.s.extend(f"loc:@{name}".encode() for name in inside)


def _copy_collection(made: Message, key: str, collection: Message, prefix: str) -> None:
    """Names and variables of the scope, without it; anything else is left out."""
    names = [value[len(prefix):] for value in collection.node_list.value
             if value.startswith(prefix)]
    if names:
        made.collection_def[key].node_list.value.extend(names)
    for value in collection.bytes_list.value:
        try:
            variable = VariableDef.FromString(value)
        except DecodeError:
            continue
        if variable.variable_name.startswith(prefix):
            for field in ("variable_name", "initializer_name", "snapshot_name",
                          "initial_value_name"):
                name = getattr(variable, field)
                setattr(variable, field, name.removeprefix(prefix))
            made.collection_def[key].bytes_list.value.append(
                variable.SerializeToString(deterministic=True))
