"""What TensorFlow's importer refuses in a graph before anything runs, by name.

Nodes that nothing needs are not looked at. Sources: tensorflow/core/framework/node_def_util.cc
(`ValidateNodeDef`, `InOutTypesForNode`), tensorflow/core/common_runtime/graph_constructor.cc,
tensorflow/core/public/version.h.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.execution.errors import ExecutionError
from pipeline.execution.types import Types
from pipeline.execution.wires import Wire, data_refs
from pipeline.graph import GraphError

_VERSION = 2474    # TF_GRAPH_DEF_VERSION of TensorFlow 2.21
_PART = r"[A-Za-z0-9.][A-Za-z0-9_./\-]*"
_NAME = re.compile(f"{_PART}(>{_PART})*")
_log = logging.getLogger(__name__)


def check_versions(versions: Any) -> None:
    """Refuses a GraphDef that asks for a later TensorFlow than the one that is followed here.

    Raises:
        ExecutionError: its `min_consumer` is later, or `bad_consumers` names it.
    """
    if versions.min_consumer > _VERSION:
        raise ExecutionError(
            f"GraphDef min_consumer version {versions.min_consumer} is above {_VERSION}, that of "
            "TensorFlow 2.21, which this follows; it may mean something else by its ops")
    if _VERSION in versions.bad_consumers:
        raise ExecutionError(f"GraphDef disallows consumer version {_VERSION}, that of TensorFlow "
                             "2.21, which this follows")


def check_names(nodes: Iterable[Message]) -> None:
    """Refuses names that no node may have, and data inputs that follow control inputs.

    Raises:
        ExecutionError: there are such.
    """
    for node in nodes:
        if not _NAME.fullmatch(node.name):
            raise ExecutionError(f"Node {node.name!r}: Node name contains invalid characters")
        seen = False
        for text in node.input:
            if seen and not text.startswith("^"):
                raise ExecutionError(f"Node {node.name!r}: Control dependencies must come after "
                                     f"regular dependencies; {text!r} does not")
            seen = seen or text.startswith("^")


def problems(wire: Wire, attrs: Mapping[str, Any], types: Types) -> Iterator[str]:
    """What is wrong with a node: attributes that are missing or not allowed, inputs of other types.

    Attributes that the op's definition does not know are only logged: a later TensorFlow's.
    """
    if wire.proto is None or wire.proto.op != wire.op or not graph.has_op_def(wire.op):
        return
    definition = graph.op_def(wire.op)
    known = {each.name for each in definition.attr}
    for key in wire.proto.attr:
        if key not in known and not key.startswith("_"):
            _log.warning("%s node %r has an attribute %r that TensorFlow 2.21 does not know; it is "
                         "left out", wire.op, wire.name, key)
    missing = [each.name for each in definition.attr if each.name not in attrs]
    yield from (f"op {wire.op} lacks attr {name!r}" for name in missing)
    if missing:
        return
    yield from _types_not_allowed(wire.op, definition, attrs)
    try:
        expected = graph.input_types(wire.op, attrs)
    except (KeyError, TypeError, GraphError):
        return
    refs = data_refs(wire)
    if len(refs) != len(expected):
        yield f"op {wire.op} has {len(refs)} inputs; expected {len(expected)}"
        return
    for place, (ref, wanted) in enumerate(zip(refs, expected, strict=True)):
        found = types.of(ref)
        if found is not None and found % dtypes.REF_OFFSET != wanted % dtypes.REF_OFFSET:
            yield (f"Input {place} of op {wire.op} was passed type {_named(found)} from "
                   f"{types.source(ref)}, incompatible with the expected type {_named(wanted)}")
    yield from _output_shapes(wire, attrs)


def _types_not_allowed(op: str, definition: Any, attrs: Mapping[str, Any]) -> Iterator[str]:
    for each in definition.attr:
        allowed = each.allowed_values.list.type
        value = attrs[each.name]
        for number in value if isinstance(value, list) else [value]:
            if allowed and isinstance(number, int) and number not in allowed:
                yield (f"Value for attr {each.name!r} of {_named(number)} is not in the list of "
                       f"allowed values of op {op}: {', '.join(map(_named, allowed))}")


def _output_shapes(wire: Wire, attrs: Mapping[str, Any]) -> Iterator[str]:
    """Of nodes of the graph itself; those of functions are not looked at."""
    shapes = declared_shapes(wire)
    if shapes is not None and len(shapes) != len(graph.output_types(wire.op, attrs)):
        yield (f"op {wire.op} has {len(graph.output_types(wire.op, attrs))} outputs but its "
               f"_output_shapes attribute specifies shapes for {len(shapes)}")


def declared_shapes(wire: Wire) -> list[Any] | None:
    """What a node of the graph itself says in `_output_shapes`; None where it says nothing."""
    if wire.proto is None or wire.proto.name != wire.name or "_output_shapes" not in \
            wire.proto.attr:
        return None
    return [graph.decode_shape(each) for each in wire.proto.attr["_output_shapes"].list.shape]


def _named(number: int) -> str:
    return dtypes.name(number).removeprefix("DT_").lower()
