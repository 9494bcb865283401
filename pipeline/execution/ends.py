"""The ends of a graph: what is fed to it and what it gives, as far as its nodes say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

import pipeline.execution.rules  # noqa: F401 - fills the registry
from pipeline import dtypes, graph
from pipeline.execution import registry
from pipeline.graph.tensors import Shape

# what ends a graph without being its result
_NO_OUTPUT = {"NoOp", "Assert", "Print", "Const", "Placeholder", "VariableV2", "Variable",
              "VarHandleOp", "VarIsInitializedOp", "IsVariableInitialized", "SaveV2", "RestoreV2",
              "ShardedFilename", "MergeV2Checkpoints"}
_GRADIENTS = re.compile(r"(.*/)?gradients(_\d+)?/")    # the scope that tf.gradients opens
_SAVING = {"SaveV2", "Save", "SaveSlices", "MergeV2Checkpoints"}
PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")


@dataclass(frozen=True)
class End:
    """An input or output of a graph; `shape` and `dtype` as far as its node says them."""

    name: str
    shape: Shape | None
    dtype: str


def find_inputs(nodes: Mapping[str, Message]) -> tuple[End, ...]:
    """The placeholders that its results follow from, or else all that some node takes."""
    used = _used(nodes)
    needed = graph.closure([end.name for end in find_outputs(nodes)],
                           graph.sources_of(nodes.values()))
    found = [node for name, node in nodes.items()
             if node.op in PLACEHOLDERS and (name in used or len(nodes) == 1)]
    return tuple(map(_end, [node for node in found if node.name in needed] or found))


def find_outputs(nodes: Mapping[str, Message]) -> tuple[End, ...]:
    """The nodes that give something nobody takes."""
    used = _used(nodes)
    ends = [name for name, node in nodes.items()
            if name not in used and node.op not in _NO_OUTPUT and not _writes(node.op)
            and not _waits_for_saving(node, nodes)]
    wanted = [name for name in ends if not _GRADIENTS.match(name)]
    return tuple(_end(nodes[name]) for name in wanted or ends)


def _waits_for_saving(node: Message, nodes: Mapping[str, Message]) -> bool:
    """As a Saver's `save/control_dependency` does, which gives nothing but the file's name."""
    waited = [ref.node for ref in map(graph.parse_ref, node.input) if ref.output == graph.CONTROL]
    return any(name in nodes and nodes[name].op in _SAVING for name in waited)


def _writes(op: str) -> bool:
    rule = registry.find(op)
    return rule is not None and rule.writes


def _used(nodes: Mapping[str, Message]) -> set[str]:
    return {graph.parse_ref(text).node for node in nodes.values() for text in node.input}


def _end(node: Message) -> End:
    numbers = graph.output_numbers(node)
    shape = graph.read_attrs(node).get("shape") if node.op in PLACEHOLDERS else None
    if "_output_shapes" in node.attr and len(node.attr["_output_shapes"].list.shape):
        shape = graph.decode_shape(node.attr["_output_shapes"].list.shape[0])
    return End(node.name, shape, dtypes.name(numbers[0]) if numbers else "")


def end_text(end: End) -> str:
    """`input DT_FLOAT[?, 784]`."""
    if end.shape is None:
        return f"{end.name} {end.dtype}".rstrip()
    sizes = ", ".join("?" if size is None else str(size) for size in end.shape)
    return f"{end.name} {end.dtype}[{sizes}]"
