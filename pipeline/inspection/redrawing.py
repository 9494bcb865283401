"""A graph as it is best drawn: functions as scopes, and variables without what reads them."""

from __future__ import annotations

from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.execution.library import called_functions
from pipeline.execution.variable import VARIABLE_OPS


def without_reads(graph_def: Message) -> Message:
    """The graph with `weights` in the place of `weights/read`, which TF1 makes for each variable.

    Frozen, it is an Identity of a constant; drawn, it would be a scope of the variable's own name.
    """
    held = {node.name for node in graph_def.node if node.op in ("Const", *VARIABLE_OPS)}
    reads = {node.name: node.input[0] for node in graph_def.node
             if node.op == "Identity" and list(node.input) == [node.name.removesuffix("/read")]
             and node.input[0] in held}
    made = GraphDef()
    made.node.extend(node for node in graph_def.node if node.name not in reads)
    for node in made.node:
        node.input[:] = [reads.get(text.removesuffix(":0"), text) for text in node.input]
    return made


def with_functions(graph_def: Message) -> Message:
    """The graph, with each function that it calls as a scope of the function's name."""
    made = GraphDef()
    made.CopyFrom(graph_def)
    library = {each.signature.name: each for each in graph_def.library.function}
    pending, seen = list(graph_def.node), set[str]()
    while pending:
        node = pending.pop()
        for name in sorted({node.op, *called_functions(node)} & library.keys() - seen):
            seen.add(name)
            function = library[name]
            for argument in function.signature.input_arg:
                made.node.add(name=f"{name}/{argument.name}", op="Placeholder")
            for inner in function.node_def:
                copied = made.node.add()
                copied.CopyFrom(inner)
                copied.name = f"{name}/{inner.name}"
                copied.input[:] = [_reference(name, text) for text in inner.input]
            pending += function.node_def
    return made


def _reference(function: str, text: str) -> str:
    """`node:output_name:index` of a function as a graph's `function/node:index`."""
    mark, bare = ("^", text[1:]) if text.startswith("^") else ("", text)
    node, *rest = bare.split(":")
    index = f":{rest[-1]}" if len(rest) > 1 and rest[-1] != "0" else ""
    return f"{mark}{function}/{node}{index}"
