"""One NodeDef at a time: type and length attributes follow from the inputs, defaults are left out.

Readers older than an attribute refuse it even when it says the default, so what an op definition
gives by default is not written unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.attr_value_pb2 import AttrValue, NameAttrList
from tensorboard.compat.proto.node_def_pb2 import NodeDef

from pipeline import dtypes
from pipeline.graph.errors import GraphError
from pipeline.graph.op_defs import op_def
from pipeline.graph.tensors import encode_shape, encode_tensor


class Argument(NamedTuple):
    """One input or output argument of an op: a tensor, `number_attr` of them, or a typed list."""

    name: str
    type: int          # 0 when an attribute tells it
    type_attr: str
    number_attr: str
    type_list_attr: str


class Signature(NamedTuple):
    """What an op takes and gives, in plain data."""

    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    attr_types: dict[str, str]      # "type", "list(int)", "shape", …
    defaults: dict[str, Message]    # AttrValue
    allowed: dict[str, frozenset[int]]    # DataType numbers, of the attributes that restrict them


@cache
def signature(op: str) -> Signature:
    """The signature of an op.

    Raises:
        GraphError: the table of op definitions has no such op.
    """
    definition = op_def(op)
    return Signature(
        tuple(_argument(argument) for argument in definition.input_arg),
        tuple(_argument(argument) for argument in definition.output_arg),
        {attr.name: attr.type for attr in definition.attr},
        {attr.name: attr.default_value for attr in definition.attr
         if attr.HasField("default_value")},
        {attr.name: frozenset(attr.allowed_values.list.type) for attr in definition.attr
         if attr.allowed_values.list.type})


def _argument(definition: Message) -> Argument:
    base = dtypes.REF_OFFSET if definition.is_ref and definition.type else 0
    return Argument(definition.name, definition.type + base, definition.type_attr,
                    definition.number_attr, definition.type_list_attr)


def build_node(
    op: str,
    name: str,
    inputs: Sequence[tuple[str, int]] = (),
    attrs: Mapping[str, Any] | None = None,
    *,
    write_defaults: bool = False,
    unless: Collection[str] = (),
) -> Message:
    """A NodeDef.

    Args:
        op: a name in the table of op definitions.
        name: of the node.
        inputs: (reference, DataType number) each; control inputs `^name` come last with number 0.
        attrs: values in Python's own types; a `DataType` is its number, a function its name.
            Those that follow from the inputs may be left out.
        write_defaults: also write the attributes that have the value the definition gives.
        unless: attributes of which only other values are written all the same.

    Raises:
        GraphError: the op or an attribute is unknown, an attribute is missing, or the number or
            types of the inputs are not what the op takes.
    """
    known = signature(op)
    data = [number for reference, number in inputs if not reference.startswith("^")]
    values = {**infer_attrs(op, name, data), **(attrs or {})}
    node = NodeDef(name=name, op=op, input=[reference for reference, _ in inputs])
    for key, value in values.items():
        if key.startswith("_"):
            node.attr[key].CopyFrom(value)
            continue
        if key not in known.attr_types:
            raise GraphError(f"{name}: op {op} has no attribute {key!r}; "
                             f"it has {', '.join(known.attr_types) or 'none'}")
        encoded = encode_attr(known.attr_types[key], value)
        if (write_defaults and key not in unless) or encoded != known.defaults.get(key):
            node.attr[key].CopyFrom(encoded)
    missing = [key for key in known.attr_types if key not in values and key not in known.defaults]
    if missing:
        raise GraphError(f"{name}: op {op} needs the attribute {', '.join(missing)}")
    if write_defaults:
        for key, default in known.defaults.items():
            if key not in values and key not in unless:
                node.attr[key].CopyFrom(default)
    return node


def infer_attrs(op: str, name: str, inputs: Sequence[int]) -> dict[str, Any]:
    """Type and length attributes of an op that takes tensors of these DataTypes."""
    arguments = signature(op).inputs
    found: dict[str, Any] = {}
    single = sum(not (argument.number_attr or argument.type_list_attr) for argument in arguments)
    rest = list(inputs)
    for argument in arguments:
        if argument.number_attr:
            alike = sum(each.number_attr == argument.number_attr for each in arguments)
            count = found.setdefault(argument.number_attr, (len(inputs) - single) // alike)
        elif argument.type_list_attr:
            count = len(inputs) - single
            found[argument.type_list_attr] = rest[:count]
        else:
            count = 1
        taken, rest = rest[:count], rest[count:]
        if len(taken) < count:
            raise GraphError(f"{name}: op {op} takes {[each.name for each in arguments]}; "
                             f"it was given {len(inputs)} inputs")
        for number in taken:
            _check_type(op, name, argument, number, found)
    if rest:
        raise GraphError(f"{name}: op {op} takes {[each.name for each in arguments]}; "
                         f"it was given {len(inputs)} inputs")
    return found


def _check_type(
    op: str, name: str, argument: Argument, number: int, found: dict[str, Any]
) -> None:
    base = number % dtypes.REF_OFFSET
    if argument.type_list_attr:
        return
    expected = (found.setdefault(argument.type_attr, base) if argument.type_attr
                else argument.type % dtypes.REF_OFFSET)
    if base != expected:
        raise GraphError(f"{name}: op {op} input {argument.name} is {dtypes.name(base)}; "
                         f"expected {dtypes.name(expected)}")


def input_types(op: str, attrs: Mapping[str, Any]) -> list[int]:
    """DataType numbers of the inputs of a node with these attributes (Python values)."""
    return _types(signature(op).inputs, attrs)


def output_types(op: str, attrs: Mapping[str, Any]) -> list[int]:
    """DataType numbers of the outputs of a node with these attributes (Python values)."""
    return _types(signature(op).outputs, attrs)


def _types(arguments: Iterable[Any], attrs: Mapping[str, Any]) -> list[int]:
    found: list[int] = []
    for argument in arguments:
        if argument.type_list_attr:
            found.extend(attrs[argument.type_list_attr])
            continue
        number = attrs[argument.type_attr] if argument.type_attr else argument.type
        found.extend([number] * (attrs[argument.number_attr] if argument.number_attr else 1))
    return found


def output_names(op: str, attrs: Mapping[str, Any]) -> list[str]:
    """`argument:index` of each output, as nodes of a function refer to it."""
    found: list[str] = []
    for argument in signature(op).outputs:
        count = 1
        if argument.type_list_attr:
            count = len(attrs[argument.type_list_attr])
        elif argument.number_attr:
            count = attrs[argument.number_attr]
        found.extend(f"{argument.name}:{index}" for index in range(count))
    return found


_LIST = {"int": "i", "float": "f", "bool": "b", "type": "type", "string": "s"}


def encode_attr(kind: str, value: Any) -> Message:
    """An AttrValue from a Python value; `kind` is the op definition's word, such as `list(int)`."""
    if kind.startswith("list("):
        return _encode_list(kind[len("list("):-1], value)
    if kind == "tensor":
        return AttrValue(tensor=encode_tensor(value))
    if kind == "shape":
        return AttrValue(shape=encode_shape(value))
    if kind == "func":
        return AttrValue(func=NameAttrList(name=value))
    if kind not in _LIST:
        raise GraphError(f"attributes of kind {kind!r} are not written here")
    return AttrValue(**{_LIST[kind]: _plain(kind, value)})


def _encode_list(kind: str, values: Sequence[Any]) -> Message:
    attr = AttrValue()
    attr.list.SetInParent()
    if kind == "shape":
        attr.list.shape.extend(encode_shape(value) for value in values)
    elif kind == "func":
        attr.list.func.extend(NameAttrList(name=value) for value in values)
    else:
        getattr(attr.list, _LIST[kind]).extend(_plain(kind, value) for value in values)
    return attr


def _plain(kind: str, value: Any) -> Any:
    if kind == "string":
        return value.encode() if isinstance(value, str) else value
    if kind == "type" and not isinstance(value, (int, np.integer)):
        return dtypes.from_numpy(value)
    return {"int": int, "float": float, "bool": bool, "type": int}[kind](value)
