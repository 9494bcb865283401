"""TensorFlow's `DataType` numbers and the NumPy types that hold their values.

Both format libraries need this table, and `checkpoint` may import neither protobuf nor JAX, so it
stands by itself. The numbers are those of tensorflow/core/framework/types.proto.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike

# name in types.proto without "DT_" : (number, NumPy type; strings are object arrays of bytes)
_TABLE: dict[str, tuple[int, DTypeLike]] = {
    "FLOAT": (1, np.float32),
    "DOUBLE": (2, np.float64),
    "INT32": (3, np.int32),
    "UINT8": (4, np.uint8),
    "INT16": (5, np.int16),
    "INT8": (6, np.int8),
    "STRING": (7, np.object_),
    "COMPLEX64": (8, np.complex64),
    "INT64": (9, np.int64),
    "BOOL": (10, np.bool_),
    "BFLOAT16": (14, ml_dtypes.bfloat16),
    "UINT16": (17, np.uint16),
    "COMPLEX128": (18, np.complex128),
    "HALF": (19, np.float16),
    "UINT32": (22, np.uint32),
    "UINT64": (23, np.uint64),
    "FLOAT8_E5M2": (24, ml_dtypes.float8_e5m2),
    "FLOAT8_E4M3FN": (25, ml_dtypes.float8_e4m3fn),
    "FLOAT8_E4M3FNUZ": (26, ml_dtypes.float8_e4m3fnuz),
    "FLOAT8_E4M3B11FNUZ": (27, ml_dtypes.float8_e4m3b11fnuz),
    "FLOAT8_E5M2FNUZ": (28, ml_dtypes.float8_e5m2fnuz),
    "INT4": (29, ml_dtypes.int4),
    "UINT4": (30, ml_dtypes.uint4),
    "INT2": (31, ml_dtypes.int2),
    "UINT2": (32, ml_dtypes.uint2),
}

# numbers that stand for floats; NumPy holds them as what they are stored in
_QUANTIZED: dict[str, tuple[int, DTypeLike]] = {
    "QINT8": (11, np.int8),
    "QUINT8": (12, np.uint8),
    "QINT32": (13, np.int32),
    "QINT16": (15, np.int16),
    "QUINT16": (16, np.uint16),
}

DT_RESOURCE = 20  # handles have no NumPy value
DT_VARIANT = 21
REF_OFFSET = 100  # DT_FLOAT_REF is DT_FLOAT + 100: types.proto, "reference types"

NUMBER = {name: number for name, (number, _) in (_TABLE | _QUANTIZED).items()}
_NAME = {number: name for name, number in NUMBER.items()}
_TO_NUMPY = {number: np.dtype(numpy) for number, numpy in (_TABLE | _QUANTIZED).values()}
_FROM_NUMPY = {np.dtype(numpy): number for number, numpy in _TABLE.values()}


def from_numpy(dtype: DTypeLike) -> int:
    """The `DataType` number that holds a NumPy type; byte order is ignored.

    Raises:
        TypeError: TensorFlow has no such type.
    """
    found = np.dtype(dtype).newbyteorder("=")
    if found.kind in "SUO":
        return NUMBER["STRING"]
    if found not in _FROM_NUMPY:
        raise TypeError(f"dtype {found} has no TensorFlow counterpart; expected one of "
                        f"{sorted(str(t) for t in _FROM_NUMPY)}")
    return _FROM_NUMPY[found]


def to_numpy(number: int) -> np.dtype[np.generic]:
    """The NumPy type of a `DataType` number; a reference type gives its base type.

    Raises:
        TypeError: the number is unknown, or names a handle that has no NumPy value.
    """
    base = number - REF_OFFSET if number > REF_OFFSET else number
    if base not in _TO_NUMPY:
        raise TypeError(f"TensorFlow DataType {number} ({name(number)}) has no NumPy counterpart")
    return _TO_NUMPY[base]


def name(number: int) -> str:
    """`DT_FLOAT`, `DT_FLOAT_REF`, …; an unknown number is written as it is."""
    base = number - REF_OFFSET if number > REF_OFFSET else number
    known = {**_NAME, DT_RESOURCE: "RESOURCE", DT_VARIANT: "VARIANT"}
    if base not in known:
        return f"DT_{number}"
    return f"DT_{known[base]}" + ("_REF" if number > REF_OFFSET else "")
