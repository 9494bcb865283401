"""CRC-32C (Castagnoli), and the mask that LevelDB and TensorFlow store it under.

A checksum of data that itself holds checksums is weak, so the stored value is rotated and shifted:
    masked = ((crc >> 15 | crc << 17) + 0xa282ead8) mod 2**32
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

Bytes = bytes | NDArray[np.uint8]

_MASK_DELTA = 0xA282EAD8  # leveldb/util/crc32c.h
_WORTH_RELEASING = 1 << 16  # bytes; below, a foreign call costs more than the other thread gains


def mask(crc: int) -> int:
    """The stored form of a checksum."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def unmask(masked: int) -> int:
    """The checksum of a stored form."""
    rotated = (masked - _MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def extend(crc: int, data: Bytes) -> int:
    """The checksum of what `crc` covers, followed by `data`. `extend(0, data)` starts."""
    if isinstance(data, np.ndarray) and data.nbytes >= _WORTH_RELEASING:
        return _unlocked()(crc, data)
    return int(google_crc32c.extend(crc, data))


def masked_crc(data: Bytes) -> int:
    """The stored checksum of `data`."""
    return mask(extend(0, data))


@functools.cache
def _unlocked() -> Callable[[int, NDArray[np.uint8]], int]:
    """`extend` without Python's lock, so that checksums and writes of two threads overlap.

    The extension module of google_crc32c computes under the lock (formats.md §3); the C function
    it is linked with, `crc32c_extend(uint32_t, const uint8_t*, size_t)`, does not need it.
    """
    try:
        import google_crc32c._crc32c as extension

        function = ctypes.CDLL(extension.__file__).crc32c_extend
    except (ImportError, OSError, AttributeError):  # the pure Python build, another linkage
        return lambda crc, data: int(google_crc32c.extend(crc, data))
    function.argtypes = (ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t)
    function.restype = ctypes.c_uint32

    def call(crc: int, data: NDArray[np.uint8]) -> int:
        found: Any = function(crc, data.ctypes.data, data.nbytes)
        return int(found)

    return call
