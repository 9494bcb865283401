"""One output of a node, and how types and shapes are told to nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from google.protobuf.message import Message

from pipeline import dtypes
from pipeline.graph import output_shapes, signature
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Array, DType, Shape


class Tensor(NamedTuple):
    """One output of a node."""

    ref: str
    shape: Shape
    dtype: DType


Operand: TypeAlias = Tensor | Array


def shapes_attr(shapes: Sequence[Shape], count: int) -> Message:
    """`_output_shapes` of a node with `count` outputs, of which the first have these shapes."""
    known = [[size if isinstance(size, int) else None for size in shape] for shape in shapes]
    return output_shapes([*known, *[None] * (count - len(known))])


def data_type(dtype: Any) -> int:
    """The DataType of a tensor; handles, which NumPy has no type for, carry the number itself.

    Raises:
        Unsupported: TensorFlow has no such type.
    """
    try:
        return dtype if isinstance(dtype, int) else dtypes.from_numpy(dtype)
    except TypeError as error:
        raise Unsupported(str(error)) from None


def numpy_type(number: int) -> Any:
    """What `data_type` is given for this number."""
    handle = number in (dtypes.DT_VARIANT, dtypes.DT_RESOURCE)
    return number if handle else dtypes.to_numpy(number)


def types_of(op: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes, and the default of each type that is none of them.

    Raises:
        Unsupported: the op is not defined for one of the types.
    """
    known = signature(op)
    defaults = {key: value.type for key, value in known.defaults.items() if value.type}
    values = {**defaults, **attrs}
    for key, allowed in known.allowed.items():
        if values[key] not in allowed:
            raise Unsupported(f"TensorFlow's {op} of {dtypes.name(values[key])}")
    return values


def attr_value(value: Any) -> Any:
    """An attribute with its NumPy types as DataType numbers."""
    if isinstance(value, list):
        return [attr_value(each) for each in value]
    return data_type(value) if isinstance(value, np.dtype) else value
