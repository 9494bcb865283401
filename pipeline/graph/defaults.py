"""What a node's attributes say, absent ones filled in with the default of the op's definition.

Writers leave defaults out (and older ones did not know the attribute yet), so reading a node
without its op's definition reads it wrongly: `FusedBatchNorm` without `is_training` is in training
form.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.message import Message

from pipeline.graph.errors import GraphError
from pipeline.graph.nodes import output_types, signature
from pipeline.graph.op_defs import has_op_def
from pipeline.graph.tensors import decode_shape, decode_tensor


class FunctionName(NamedTuple):
    """An attribute that names a function of the graph's library, and what it is given."""

    name: str
    attrs: dict[str, Any]


class AttrPlaceholder(NamedTuple):
    """Inside a function: the attribute of the caller that says the value."""

    name: str


def decode_attr(attr: Message) -> Any:
    """An AttrValue in Python's own types.

    A type is its DataType number, a shape a tuple with None for unknown dimensions (None for an
    unknown rank), a tensor an array, a string `str`, a function `FunctionName`.

    Raises:
        GraphError: the shape or the tensor is malformed.
    """
    kind = attr.WhichOneof("value")
    if kind == "list":
        return _decode_list(attr.list)
    if kind == "placeholder":
        return AttrPlaceholder(attr.placeholder)
    return None if kind is None else _DECODE[kind](getattr(attr, kind))


def read_attrs(node: Message) -> dict[str, Any]:
    """All attributes of a node, the ones its op's definition has defaults for always among them.

    Attributes that begin with `_` (placement, `_output_shapes`) say nothing about values and are
    left out. An op without a definition gives what the node says.

    Raises:
        GraphError: an attribute is malformed.
    """
    found = dict(attribute_defaults(node.op))
    for key, attr in node.attr.items():
        if not key.startswith("_"):
            try:
                found[key] = decode_attr(attr)
            except GraphError as error:
                where = f"{node.op} node {node.name!r}, attribute {key}"
                raise GraphError(f"{where}: {error}") from None
    return found


def output_numbers(node: Message) -> list[int] | None:
    """The DataTypes of a node's outputs; None where its op has no known definition."""
    if not has_op_def(node.op):
        return None
    try:
        return output_types(node.op, read_attrs(node))
    except (GraphError, KeyError, TypeError):
        return None


@cache
def attribute_defaults(op: str) -> dict[str, Any]:
    """The decoded defaults of an op's attributes; none for an op without a definition."""
    try:
        defaults = signature(op).defaults
    except GraphError:
        return {}
    return {key: decode_attr(value) for key, value in defaults.items()}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _function(value: Message) -> FunctionName:
    return FunctionName(value.name, {key: decode_attr(attr) for key, attr in value.attr.items()})


_DECODE: dict[str, Callable[[Any], Any]] = {
    "s": _text, "i": int, "f": float, "b": bool, "type": int,
    "shape": decode_shape, "tensor": decode_tensor, "func": _function,
}


def _decode_list(values: Message) -> list[Any]:
    for kind, decode in _DECODE.items():
        found = getattr(values, kind)
        if len(found):
            return [decode(value) for value in found]
    return []
