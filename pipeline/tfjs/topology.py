"""The GraphDef in the form that TF.js reads: every attribute written, constants without content.

Its readers don't know the defaults of the op definitions (a Conv2D without `dilations` fails), find
constants by their name over the whole model, and dispose a loop's tensor lists behind an Identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from pipeline import graph
from pipeline.tfjs.errors import TfjsError
from pipeline.tfjs.ops import KNOWN_OPS, SAME_OP


def prepare(graph_def: Message, outputs: Sequence[str]) -> Message:
    """A copy of what some outputs need, as TF.js wants it; constants still with their content.

    Raises:
        TfjsError: TF.js lacks some ops (all are listed).
        GraphError: there is no such output, or the graph is malformed.
    """
    nodes = graph.node_map(graph_def.node)
    needed = set(graph.topological_order(nodes, [graph.parse_ref(each).node for each in outputs]))
    made = GraphDef(node=[node for node in graph_def.node if node.name in needed])
    made.library.CopyFrom(graph_def.library)
    made.versions.CopyFrom(graph_def.versions)
    made.versions.producer = made.versions.producer or 1    # absent where 0; TF.js wants it there
    for function in made.library.function:
        _without_identities(function)
        _with_unique_constants(function)
    for node in all_nodes(made):
        node.op = SAME_OP.get(node.op, node.op)
        _write_defaults(node)
    _refuse_unknown(made)
    return made


def all_nodes(graph_def: Message) -> Iterator[Message]:
    """The nodes of the graph, then those of its functions."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def constants(graph_def: Message) -> Iterator[Message]:
    """The nodes whose value is a weight of the model."""
    return (node for node in all_nodes(graph_def) if node.op == "Const")


def strip(node: Message) -> None:
    """Takes the content out of a constant; dtype and shape stay."""
    value = node.attr["value"].tensor
    bare = TensorProto(dtype=value.dtype, tensor_shape=value.tensor_shape)
    bare.tensor_shape.SetInParent()    # TF.js wants the key of a scalar's shape, too
    value.CopyFrom(bare)


def _write_defaults(node: Message) -> None:
    for key in [key for key in node.attr if key.startswith("_")]:
        del node.attr[key]
    if graph.has_op_def(node.op):
        for key, default in graph.signature(node.op).defaults.items():
            if key not in node.attr:
                node.attr[key].CopyFrom(default)


def _refuse_unknown(graph_def: Message) -> None:
    gaps: dict[str, list[str]] = {}
    for node in all_nodes(graph_def):
        if node.op not in KNOWN_OPS:
            gaps.setdefault(node.op, []).append(node.name)
    if gaps:
        listed = "\n  ".join(f"{op}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
                             for op, names in sorted(gaps.items()))
        raise TfjsError(f"TF.js has no kernel for these ops of the graph:\n  {listed}")


def _without_identities(function: Message) -> None:
    """Results refer to the nodes that make them."""
    behind = {f"{node.name}:output:0": node.input[0] for node in function.node_def
              if node.op == "Identity"}
    for key, ref in list(function.ret.items()):
        while ref in behind:
            ref = behind[ref]
        function.ret[key] = ref
    read = {text for node in function.node_def for text in node.input}
    read.update(function.ret.values())
    kept = [node for node in function.node_def
            if node.op != "Identity" or f"{node.name}:output:0" in read]
    del function.node_def[:]
    function.node_def.extend(kept)


def _with_unique_constants(function: Message) -> None:
    prefix = function.signature.name
    renamed = {f"{node.name}:output:0": f"{prefix}/{node.name}:output:0"
               for node in function.node_def if node.op == "Const"}
    for node in function.node_def:
        if node.op == "Const":
            node.name = f"{prefix}/{node.name}"
        node.input[:] = [renamed.get(text, text) for text in node.input]
    for key, ref in list(function.ret.items()):
        function.ret[key] = renamed.get(ref, ref)
