"""Random checkpoints, and how many of them.

`JAXFROST_CASES=2000 pytest tests/checkpoint/test_checkpoint_bundle.py` scales a test's number of
cases and changes nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
from numpy.random import Generator

from pipeline.checkpoint import Part, PartitionedTensor

DTYPES: tuple[Any, ...] = (
    np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.int8, np.int16, np.int32, np.int64,
    np.uint8, np.uint16, np.uint32, np.uint64, np.bool_, np.complex64, np.complex128, np.object_,
    ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.int4, ml_dtypes.uint4,
)
# SaveV2 writes slices of these, and RestoreV2 joins none: "Dtype half not supported"
NEVER_JOINED = (np.float16, np.uint16, np.uint32, np.uint64, np.object_, ml_dtypes.float8_e4m3fn,
                ml_dtypes.float8_e5m2)
_LETTERS = list("abcXYZ019/_-.:é漢 \x7f\xff")


def cases(default: int) -> int:
    """The number of cases: the default, or what the environment says."""
    return int(os.environ.get("JAXFROST_CASES", default))


def random_array(random: Generator, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Any bit pattern that the dtype allows."""
    if dtype is np.object_:
        flat = np.empty(int(np.prod(shape)), np.object_)
        for index in range(flat.size):
            flat[index] = random.bytes(int(random.choice([0, 1, 5, 200, 20_000], p=[
                0.2, 0.3, 0.3, 0.19, 0.01])))
        return flat.reshape(shape)
    if dtype is np.bool_:
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype in (ml_dtypes.int4, ml_dtypes.uint4):
        low, high = (-8, 8) if dtype is ml_dtypes.int4 else (0, 16)
        return random.integers(low, high, shape).astype(dtype)
    return random.integers(0, 256, (*shape, np.dtype(dtype).itemsize)).astype(np.uint8).view(
        dtype).reshape(shape)


def random_tensors(random: Generator) -> dict[str, Any]:
    """A handful of tensors, some of them partitioned, under any names, in any order."""
    tensors: dict[str, Any] = {}
    for _ in range(int(random.integers(1, 12))):
        name = "".join(random.choice(_LETTERS, int(random.integers(1, 20))))
        name *= int(random.choice([1, 1, 1, 40]))
        rank = int(random.integers(0, 5))
        shape = tuple(int(n) for n in random.integers(0, 6, rank))
        dtype = DTYPES[random.integers(len(DTYPES))]
        array = random_array(random, dtype, shape)
        if array.size > 1 and random.random() < 0.3:
            axis = int(random.integers(rank))
            count = int(random.integers(1, shape[axis] + 1))
            tensors[name] = PartitionedTensor.split(array, count, axis)
        elif random.random() < 0.02:
            tensors[name] = _tiled(random)
        else:
            tensors[name] = np.asfortranarray(array) if random.random() < 0.2 else array
    return tensors


def _tiled(random: Generator) -> PartitionedTensor:
    """Cut along two axes, with starts that need more than a byte in a key."""
    array = random_array(random, np.int32, (200, 9))
    cuts = [(row, column) for row in ((0, 70), (70, 130)) for column in ((0, 4), (4, 5))]
    return PartitionedTensor(array.shape, tuple(
        Part(cut, array[cut[0][0]:sum(cut[0]), cut[1][0]:sum(cut[1])]) for cut in cuts))


def whole(value: Any) -> np.ndarray:
    """The array that a tensor stands for."""
    return value.assemble() if isinstance(value, PartitionedTensor) else np.asarray(value)


def save_v2(tf: ModuleType, prefix: Path | str, tensors: dict[str, Any],
            names: Sequence[str] | None = None) -> None:
    """TensorFlow's own writer, given the same tensors in the same order."""
    keys, specs, values = [], [], []
    for name in tensors if names is None else names:
        value = tensors[name]
        parts = value.parts if isinstance(value, PartitionedTensor) else (Part((), value),)
        for part in parts:
            keys.append(name)
            specs.append("" if not part.extents else " ".join(map(str, value.shape)) + " " +
                         ":".join(f"{start},{length}" for start, length in part.extents))
            values.append(to_tensor(tf, np.asarray(part.value)))
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=keys, shape_and_slices=specs,
                      tensors=values)


def to_tensor(tf: ModuleType, array: np.ndarray) -> Any:
    if array.dtype == np.object_:
        return tf.constant(array.reshape(-1).tolist(), tf.string, shape=array.shape)
    return tf.constant(array)


def file_names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal shapes, dtypes and bits."""
    assert found.shape == expected.shape
    if expected.dtype == np.object_:
        assert found.tolist() == expected.tolist()
    else:
        assert found.dtype == expected.dtype
        assert found.tobytes() == np.ascontiguousarray(expected).tobytes()
