"""Constants as TF.js keeps them: little-endian values one after another, in the manifest's order.

    {name, shape, dtype: float32 | int32 | bool, quantization?}
    quantization: {dtype: float16, original_dtype} | {dtype: uint8, min, scale, original_dtype}
                  value = stored · scale + min

Source: @tensorflow/tfjs-core 4.22.0, io/types.d.ts and io/io_utils (decodeWeights). It has neither
int64 nor float64: these are kept as int32 and float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.tfjs.errors import TfjsError, TfjsFileError

Storage: TypeAlias = Literal["float32", "float16", "uint8"]
Array: TypeAlias = NDArray[Any]

_KEPT_AS = {
    **dict.fromkeys(("float16", "bfloat16", "float32", "float64"), "float32"),
    **dict.fromkeys(("int8", "uint8", "int16", "uint16", "int32", "int64"), "int32"),
    "bool": "bool",
}
_STORED = {"float32": "<f4", "int32": "<i4", "bool": "?", "float16": "<f2", "uint8": "u1",
           "uint16": "<u2"}
_INT32 = np.iinfo(np.int32)


def encode(name: str, value: Array, storage: Storage) -> tuple[dict[str, Any], bytes]:
    """The manifest's entry of a constant, and its bytes.

    Args:
        name: of its node.
        value: of any numeric dtype.
        storage: of matrices and kernels of floats; vectors and scalars stay float32, since they
            take no room and decide much.

    Raises:
        TfjsError: TF.js has no such dtype, or a value is out of its range.
    """
    dtype = _KEPT_AS.get(value.dtype.name)
    if dtype is None:
        raise TfjsError(f"constant {name} is {value.dtype}; TF.js has no such dtype")
    entry: dict[str, Any] = {"name": name, "shape": list(value.shape), "dtype": dtype}
    if dtype == "int32" and value.size and not (
            _INT32.min <= int(value.min()) and int(value.max()) <= _INT32.max):
        raise TfjsError(f"constant {name} is {value.dtype} and has values beyond int32, the only "
                        "integer type of TF.js")
    if dtype != "float32" or storage == "float32" or value.ndim < 2 or not value.size:
        return entry, value.astype(_STORED[dtype]).tobytes()
    if storage == "float16":
        return _as_float16(entry, value)
    return _as_uint8(entry, value)


def _as_float16(entry: dict[str, Any], value: Array) -> tuple[dict[str, Any], bytes]:
    limit = float(np.finfo(np.float16).max)
    if np.abs(value[np.isfinite(value)]).max(initial=0) > limit:
        raise TfjsError(f"constant {entry['name']} has values beyond ±{limit}, float16's largest; "
                        "keep its weights as float32")
    entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
    return entry, value.astype("<f2").tobytes()


def _as_uint8(entry: dict[str, Any], value: Array) -> tuple[dict[str, Any], bytes]:
    """The range is widened to hold zero, and zero is one of the 256 values."""
    if not np.isfinite(value).all():
        raise TfjsError(f"constant {entry['name']} has values that are not finite; uint8 can't "
                        "hold them")
    low, high = min(float(value.min()), 0.0), max(float(value.max()), 0.0)
    scale = (high - low) / 255 or 1.0
    zero = round(-low / scale)
    stored = np.clip(np.rint(value.astype(np.float64) / scale) + zero, 0, 255).astype(np.uint8)
    entry["quantization"] = {"dtype": "uint8", "min": -zero * scale, "scale": scale,
                             "original_dtype": "float32"}
    return entry, stored.tobytes()


def size_of(entry: Mapping[str, Any]) -> int:
    """How many bytes a constant takes in the weight files.

    Raises:
        TfjsFileError: the entry is malformed.
    """
    return math.prod(_shape(entry)) * _stored_dtype(entry).itemsize


def decode(entry: Mapping[str, Any], content: bytes) -> Array:
    """The constant: float32, int32 or bool.

    Raises:
        TfjsFileError: the entry is malformed.
    """
    array = np.frombuffer(content, _stored_dtype(entry)).reshape(_shape(entry))
    kept = np.dtype(_STORED[entry["dtype"]])
    quantization = entry.get("quantization")
    if quantization is None or array.dtype == np.float16:
        return array.astype(kept)
    try:
        low, scale = float(quantization["min"]), float(quantization["scale"])
    except (KeyError, TypeError, ValueError):
        raise TfjsFileError(f"weight {entry['name']}: quantization {quantization}; expected "
                            "numbers as min and scale") from None
    # in float32, as TF.js computes it
    return (array.astype(np.float32) * np.float32(scale) + np.float32(low)).astype(kept)


def _shape(entry: Mapping[str, Any]) -> tuple[int, ...]:
    shape = entry.get("shape")
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        raise TfjsFileError(f"weight {entry.get('name')!r}: shape {shape!r}; expected a list of "
                            "sizes")
    return tuple(shape)


def _stored_dtype(entry: Mapping[str, Any]) -> np.dtype[Any]:
    dtype, quantization = entry.get("dtype"), entry.get("quantization")
    allowed: tuple[str, ...] = ("float32", "int32", "bool")
    if dtype in allowed and quantization is not None:
        allowed = ("float16", "uint8", "uint16")
        dtype = quantization.get("dtype") if isinstance(quantization, dict) else quantization
    if dtype not in allowed:
        raise TfjsFileError(f"weight {entry.get('name')!r}: dtype {dtype!r}; expected one of "
                            f"{', '.join(allowed)}")
    return np.dtype(_STORED[dtype])
