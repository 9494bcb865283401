"""A tensor on its way into a data file: its size is known before its bytes are fetched."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import dtypes
from pipeline.checkpoint.entry import Shape
from pipeline.checkpoint.errors import InvalidTypeError, located
from pipeline.checkpoint.strings import encode_strings


class Stored(NamedTuple):
    """What the index says of a tensor, and how to get its bytes.

    `load` is called once, when the bytes are due, so that an array on a device is fetched one at a
    time. `crc` is the masked checksum where it is not that of the bytes themselves (strings).
    """

    dtype: int
    shape: Shape
    size: int
    load: Callable[[], NDArray[np.uint8]]
    crc: int | None = None


def as_stored(name: str, value: Any) -> Stored:
    """How an array-like value is stored: C order, little-endian, int4 in a byte per element.

    Raises:
        InvalidTypeError: TensorFlow has no such dtype.
    """
    if not (hasattr(value, "dtype") and hasattr(value, "shape")):
        # as NumPy's own strings they would lose the zero bytes they end with
        value = np.array(value, np.object_ if isinstance(value, bytes | str) else None)
    number = dtype_number(name, value.dtype)
    shape = tuple(int(size) for size in value.shape)
    if number == dtypes.NUMBER["STRING"]:
        with located(name):
            encoded, checksum = encode_strings(np.asarray(value))
        stored = np.frombuffer(encoded, np.uint8)
        return Stored(number, shape, len(encoded), lambda: stored, checksum)
    size = math.prod(shape) * dtypes.to_numpy(number).itemsize
    return Stored(number, shape, size, lambda: _as_bytes(value))


def dtype_number(name: str, dtype: Any) -> int:
    """The number that TensorFlow has for the dtype of the tensor `name`.

    Raises:
        InvalidTypeError: it has none.
    """
    try:
        return dtypes.from_numpy(np.dtype(dtype))
    except TypeError as error:
        keys = str(dtype).startswith("key<")  # jax.random.key's
        raise InvalidTypeError(f"{name}: {error}" + (
            "; TensorFlow has no random keys, save jax.random.key_data(key)" if keys else "")
        ) from None


def _as_bytes(value: Any) -> NDArray[np.uint8]:
    """The bytes of an array, without a copy where it already lies as it is stored."""
    array = np.asarray(value)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8)
