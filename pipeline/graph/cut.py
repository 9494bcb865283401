"""Graphs made smaller or barer; each function gives a new message and leaves its argument alone.

What is cut is what TensorFlow cuts (tensorflow/python/framework/graph_util_impl.py), in the order
of the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef

from pipeline.graph.errors import GraphError
from pipeline.graph.nodes import signature
from pipeline.graph.op_defs import has_op_def
from pipeline.graph.walk import node_map, parse_ref

_COLOCATED = b"loc:@"


def colocations(node: Message) -> list[str]:
    """The nodes that a node lies on the same device as."""
    found = node.attr["_class"].list.s if "_class" in node.attr else ()
    return [bytes(text)[len(_COLOCATED):].decode() for text in found
            if bytes(text).startswith(_COLOCATED)]


def with_nodes(graph_def: Message, nodes: Iterable[Message]) -> Message:
    """A graph with these nodes, and everything else as in `graph_def`."""
    made = GraphDef(node=nodes, versions=graph_def.versions)
    if graph_def.HasField("library"):
        made.library.CopyFrom(graph_def.library)
    return made


def check_outputs(graph_def: Message, outputs: Sequence[str]) -> None:
    """Refuse what names no operation of the graph.

    Raises:
        GraphError: a string instead of several, or a name that no node has.
    """
    if isinstance(outputs, (str, bytes)):
        raise GraphError(f"dest_nodes must be an iterable of strings; got the string {outputs!r}")
    names = {node.name for node in graph_def.node}
    for output in outputs:
        if output not in names:
            hint = f"; operations are named without ':0': {output.split(':')[0]!r}" \
                if output.split(":")[0] in names else ""
            raise GraphError(f"{output} is not in graph{hint}")


def extract_sub_graph(graph_def: Message, outputs: Sequence[str]) -> Message:
    """The nodes that the outputs need, by their inputs, control inputs and colocations.

    Raises:
        GraphError: an output or an input is not in the graph.
    """
    check_outputs(graph_def, outputs)
    nodes = node_map(graph_def.node)
    needed, waiting = set(outputs), list(outputs)
    while waiting:
        node = nodes[waiting.pop()]
        for name in [*(parse_ref(text).node for text in node.input), *colocations(node)]:
            if name not in nodes:
                raise GraphError(f"{node.name} needs {name}, which is not in graph")
            if name not in needed:
                needed.add(name)
                waiting.append(name)
    return with_nodes(graph_def, (node for node in graph_def.node if node.name in needed))


def remove_training_nodes(graph_def: Message, protected: Iterable[str] = ()) -> Message:
    """The graph without CheckNumerics, Identity and StopGradient: readers read what these read.

    An Identity or StopGradient stays if it is protected, if others are colocated with it, or if it
    has or is a control input.
    """
    kept_names = set(protected)
    removed = {node.name: node.input[0] for node in graph_def.node
               if node.op == "CheckNumerics" and node.name not in kept_names}
    nodes = [_rewired(node, removed) for node in graph_def.node if node.name not in removed]
    for node in nodes:
        kept_names.update(colocations(node))
        controls = [text[1:] for text in node.input if text.startswith("^")]
        kept_names.update([*controls, node.name] if controls else [])
    spliced = {node.name: node.input[0] for node in nodes
               if node.op in ("Identity", "StopGradient") and node.name not in kept_names}
    return with_nodes(graph_def, [_rewired(node, spliced) for node in nodes
                                  if node.name not in spliced])


def _rewired(node: Message, replaced: dict[str, str]) -> Message:
    """A copy that reads past the replaced nodes."""
    if not any(text in replaced or text.lstrip("^") in replaced for text in node.input):
        return node
    copy = NodeDef()
    copy.CopyFrom(node)
    inputs = []
    for text in node.input:
        control = text.startswith("^")
        name = text.lstrip("^")
        while name in replaced:
            name = replaced[name]
        inputs.append(f"^{parse_ref(name).node}" if control else name)
    copy.input[:] = inputs
    return copy


def clear_devices(graph: Message) -> Message:
    """A GraphDef, or a MetaGraphDef, without the devices its nodes were to run on."""
    copy, cleared = _copied(graph)
    for node in cleared.node:
        node.device = ""
    return copy


def strip_default_attrs(graph: Message) -> Message:
    """A GraphDef, or a MetaGraphDef, without attributes that have the op definition's default.

    An older program that does not know such an attribute can then still read the graph. Functions
    of the library are stripped too; ops without a definition here stay as they are.
    """
    copy, stripped = _copied(graph)
    bodies = [function.node_def for function in stripped.library.function]
    for node in (node for nodes in (stripped.node, *bodies) for node in nodes):
        defaults = signature(node.op).defaults if has_op_def(node.op) else {}
        for key, default in defaults.items():
            if key in node.attr and node.attr[key] == default:
                del node.attr[key]
    if copy is not stripped:
        copy.meta_info_def.stripped_default_attrs = True
    return copy


def _copied(graph: Message) -> tuple[Message, Message]:
    """A copy of a graph or MetaGraph, and the GraphDef in it."""
    copy = type(graph)()
    copy.CopyFrom(graph)
    return copy, copy.graph_def if copy.DESCRIPTOR.name == "MetaGraphDef" else copy
