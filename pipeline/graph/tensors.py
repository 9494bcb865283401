"""TensorProto and TensorShapeProto against NumPy arrays and tuples.

    TensorProto: dtype | tensor_shape | tensor_content                 row-major little-endian bytes
                                      | one of half_val … float8_val   the last value fills the rest

A `string` tensor's content is every length as varint32, then every string
(tensorflow/core/framework/tensor.cc, `Helper<tstring>`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from google.protobuf.message import Message
from numpy.typing import ArrayLike, NDArray
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

from pipeline import budget, dtypes
from pipeline.graph.errors import GraphError

Shape = tuple[int | None, ...]
Array = NDArray[np.generic]

_STRING = dtypes.NUMBER["STRING"]
_MAX_BYTES = 1 << 31   # what a GraphDef can hold at all; more is an attack or a mistake
_SMALL = 1 << 16       # bytes that are not worth an entry in the budget
_MAX_RANK = 254        # tensorflow/core/framework/tensor_shape.h, TensorShape::MaxDimensions

# the typed field that holds one value of a type: tensorflow/core/framework/tensor.proto
_FIELD = {
    "FLOAT": "float_val", "DOUBLE": "double_val", "INT64": "int64_val", "BOOL": "bool_val",
    "UINT32": "uint32_val", "UINT64": "uint64_val",
    "COMPLEX64": "scomplex_val", "COMPLEX128": "dcomplex_val",
    "HALF": "half_val", "BFLOAT16": "half_val",
    **dict.fromkeys(("INT32", "INT16", "INT8", "UINT16", "UINT8",
                     "INT4", "UINT4", "INT2", "UINT2",
                     "QINT8", "QUINT8", "QINT32", "QINT16", "QUINT16"), "int_val"),
    **dict.fromkeys(("FLOAT8_E5M2", "FLOAT8_E4M3FN", "FLOAT8_E4M3FNUZ", "FLOAT8_E4M3B11FNUZ",
                     "FLOAT8_E5M2FNUZ"), "float8_val"),
}
_FIELD_OF = {dtypes.NUMBER[name]: field for name, field in _FIELD.items()}


def encode_shape(shape: Iterable[int | None] | None) -> Message:
    """A TensorShapeProto; None as a dimension is an unknown one, None as shape an unknown rank."""
    if shape is None:
        return TensorShapeProto(unknown_rank=True)
    return TensorShapeProto(
        dim=[TensorShapeProto.Dim(size=-1 if size is None else int(size)) for size in shape])


def decode_shape(proto: Message) -> Shape | None:
    """The shape in a TensorShapeProto: None for an unknown dimension, None for an unknown rank.

    Raises:
        GraphError: a dimension is below -1, or there are more than 254 of them.
    """
    if proto.unknown_rank:
        return None
    if len(proto.dim) > _MAX_RANK:
        raise GraphError(f"shape of rank {len(proto.dim)}; expected at most {_MAX_RANK}")
    sizes = [dim.size for dim in proto.dim]
    if any(size < -1 for size in sizes):
        raise GraphError(f"shape {sizes} has a negative dimension; expected -1 (unknown) or more")
    return tuple(None if size == -1 else size for size in sizes)


def encode_tensor(value: ArrayLike) -> Message:
    """A TensorProto of an array: one element in its typed field, several as `tensor_content`.

    Strings (`bytes`, `str`, object arrays of these) always lie in `string_val`.

    Raises:
        GraphError: TensorFlow has no such dtype.
    """
    array = np.asarray(value)
    try:
        number = dtypes.from_numpy(array.dtype)
    except TypeError as error:
        raise GraphError(f"no constant can hold it: {error}") from None
    proto = TensorProto(dtype=number, tensor_shape=encode_shape(array.shape))
    if number == _STRING:
        proto.string_val.extend(_to_bytes(text) for text in array.ravel().tolist())
    elif array.size > 1:
        proto.tensor_content = _little_endian(array).tobytes()
    elif array.size == 1:
        _set_value(proto, _FIELD_OF[number], array.reshape(1))
    return proto


def decode_tensor(proto: Message) -> Array:
    """The array in a TensorProto, read-only; one value that fills a shape takes no memory.

    Strings come as an object array of `bytes`.

    Raises:
        GraphError: the dtype has no NumPy counterpart, the shape is not known, the content does not
            have the size that dtype and shape ask for, or that size is 2 GiB or more.
        MemoryBudgetError: the last of several values fills more than the budget has left.
        MemoryBudgetError: the last of several values fills more than the budget has left.
    """
    try:
        dtype = dtypes.to_numpy(proto.dtype)
    except TypeError as error:
        raise GraphError(f"constant cannot be read: {error}") from None
    shape = () if proto.tensor_shape.unknown_rank else decode_shape(proto.tensor_shape)
    if shape is None or None in shape:
        raise GraphError(f"constant of shape {shape}; expected every dimension to be known")
    known = tuple(size for size in shape if size is not None)
    size = math.prod(known)
    if size * dtype.itemsize >= _MAX_BYTES:
        raise GraphError(f"constant of shape {known} and dtype {dtype} takes "
                         f"{size * dtype.itemsize} bytes; expected less than 2 GiB")
    if proto.tensor_content:
        return _read_only(_from_content(proto, dtype, size).reshape(known))
    return _fill(_values(proto, dtype), known, size)


def _from_content(proto: Message, dtype: np.dtype[np.generic], size: int) -> Array:
    content: bytes = proto.tensor_content
    if dtype == np.object_:
        return _object_array(_split_strings(content, size))
    if len(content) != size * dtype.itemsize:
        raise GraphError(f"constant has {len(content)} bytes of tensor_content; "
                         f"expected {size * dtype.itemsize} for {size} × {dtype}")
    return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype, copy=False)


def _values(proto: Message, dtype: np.dtype[np.generic]) -> Array:
    """What lies in the typed field of a dtype, flat."""
    if dtype == np.object_:
        return _object_array(proto.string_val)
    field = _FIELD_OF[proto.dtype % dtypes.REF_OFFSET]
    values = getattr(proto, field)
    if field == "float8_val":
        return np.frombuffer(values, dtype)
    if field == "half_val":
        return np.asarray(values, np.int64).astype(np.uint16).view(dtype)
    if dtype.kind == "c":
        part = np.float32 if field == "scomplex_val" else np.float64
        if len(values) % 2:
            raise GraphError(f"{field} has {len(values)} numbers; expected pairs")
        return np.asarray(values, part).view(dtype)
    wide = np.dtype(np.int64) if field == "int_val" else dtype
    return np.asarray(values, wide).astype(dtype)


def _fill(values: Array, shape: tuple[int, ...], size: int) -> Array:
    """`values`, the last one repeated until they fill `shape`; zeros when there is none."""
    if len(values) == 0:
        values = _object_array([b""]) if values.dtype == np.object_ else np.zeros(1, values.dtype)
    if len(values) == 1 and size != 1:
        return np.broadcast_to(values, shape) if size else np.empty(shape, values.dtype)
    if len(values) < size:
        what = f"constant of shape {shape} with {len(values)} values"
        budget.current().require(size * values.itemsize, what)
        values = np.pad(values, (0, size - len(values)), mode="edge")
        if values.nbytes > _SMALL:
            budget.hold(values, what)
    return _read_only(values[:size].reshape(shape))


def _set_value(proto: Message, field: str, one: Array) -> None:
    if field == "float8_val":
        proto.float8_val = one.tobytes()
    elif field == "half_val":
        proto.half_val.append(int(one.view(np.uint16)[0]))
    elif one.dtype.kind == "c":
        part = np.float32 if field == "scomplex_val" else np.float64
        getattr(proto, field).extend(one.view(part).tolist())
    else:
        convert = float if one.dtype.kind == "f" else bool if one.dtype.kind == "b" else int
        getattr(proto, field).append(convert(one[0]))


def _split_strings(content: bytes, count: int) -> list[bytes]:
    """`count` varint lengths and then the strings themselves."""
    lengths, position = [], 0
    for _ in range(count):
        length, shift = 0, 0
        while True:
            if position >= len(content) or shift > 28:
                raise GraphError(f"string constant's tensor_content of {len(content)} bytes "
                                 f"ends within its {count} lengths")
            byte = content[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise GraphError(f"string constant's tensor_content has {len(content)} bytes; "
                         f"its lengths ask for {position + sum(lengths)}")
    strings = []
    for length in lengths:
        strings.append(content[position:position + length])
        position += length
    return strings


def _object_array(strings: Sequence[bytes]) -> Array:
    array = np.empty(len(strings), np.object_)
    array[:] = list(strings)
    return array


def _to_bytes(text: object) -> bytes:
    if isinstance(text, bytes):
        return text
    if isinstance(text, str):
        return text.encode()
    raise GraphError(f"string constant holds a {type(text).__name__}; expected bytes or str")


def _little_endian(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
