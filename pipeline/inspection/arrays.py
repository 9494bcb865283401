"""The arrays of an orbax step, read where orbax keeps them, without orbax and without JAX.

An item's directory is an OCDBT database, or plain directories, with one zarr array per leaf, whose
name joins the leaf's keys by dots (orbax-checkpoint 0.11, `type_handlers`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from pipeline import budget, dtypes
from pipeline.checkpoint.description import TensorInfo
from pipeline.checkpoint.errors import CheckpointError, DataLossError, NotFoundError, located
from pipeline.checkpoint.orbax_tree import Leaf, orbax_leaves
from pipeline.checkpoint.statistics import compute_statistics

_DATABASE = "manifest.ocdbt"


class StepArrays(Mapping[str, NDArray[Any]]):
    """The arrays of a step by path (`params/layer1/weights`); values are read when asked for.

    Raises:
        DataLossError: the step's description is damaged.
        ResourceExhaustedError: of `[…]`: an array is larger than the budget of memory.
    """

    def __init__(self, step: str) -> None:
        self.step = step
        with _told_as_damage(step):
            self._opening = {leaf.name: _open(leaf) for leaf in orbax_leaves(step)}

    def opened(self, name: str) -> Any:
        """The array as it lies on the disk: its `shape` and `dtype`.

        Raises:
            NotFoundError: there is none of that name.
            DataLossError: it is damaged, or missing.
        """
        if name not in self._opening:
            raise NotFoundError(f"{self.step}: holds no array {name!r}")
        with _told_as_damage(f"{self.step}: {name}"):
            return self._opening[name].result()

    def __getitem__(self, name: str) -> NDArray[Any]:
        opened = self.opened(name)
        with _told_as_damage(f"{self.step}: {name}"):
            chunk = math.prod(opened.chunk_layout.read_chunk.shape or ())
            budget.current().require(max(math.prod(opened.shape), chunk)
                                     * opened.dtype.numpy_dtype.itemsize, "its values")
            return np.asarray(opened.read().result())

    def __iter__(self) -> Iterator[str]:
        return iter(self._opening)

    def __len__(self) -> int:
        return len(self._opening)


def describe_arrays(step: str, *, verify: bool, statistics: bool) -> tuple[TensorInfo, ...]:
    """Name, dtype, shape and size of every array; see `checkpoint.describe`.

    Raises:
        DataLossError: the step's description is damaged.
    """
    arrays = StepArrays(step)
    return tuple(_describe(arrays, name, verify, statistics) for name in arrays)


def _describe(arrays: StepArrays, name: str, verify: bool, statistics: bool) -> TensorInfo:
    try:
        opened = arrays.opened(name)
        dtype, shape = np.dtype(opened.dtype.numpy_dtype), tuple(map(int, opened.shape))
        values = arrays[name] if verify or statistics else None
    except CheckpointError as error:
        return TensorInfo(name, None, None, None, damage=str(error))
    figures = compute_statistics(values) if statistics and values is not None else None
    return TensorInfo(name, _dtype_name(dtype), shape, math.prod(shape) * dtype.itemsize,
                      statistics=figures)


def _dtype_name(dtype: np.dtype[Any]) -> str:
    """TensorFlow's name, so that both kinds of checkpoint read alike; NumPy's where it has none."""
    try:
        return dtypes.name(dtypes.from_numpy(dtype))
    except TypeError:
        return str(dtype)


def _open(leaf: Leaf) -> Any:
    name, directory = ".".join(leaf.keys), Path(os.path.abspath(leaf.directory))
    kvstore: dict[str, Any] = {"driver": "file", "path": f"{directory / name}/"}
    if (directory / _DATABASE).exists():
        kvstore = {"driver": "ocdbt", "base": directory.as_uri(), "path": f"{name}/"}
    driver = "zarr3" if leaf.zarr3 else "zarr"
    return ts.open({"driver": driver, "kvstore": kvstore}, open=True, read=True)


@contextmanager
def _told_as_damage(place: str) -> Iterator[None]:
    """TensorStore has no error of its own: what it meets in a damaged array, it raises."""
    try:
        with located(place):
            yield
    except CheckpointError:
        raise
    except Exception as error:
        raise DataLossError(f"{place}: {_brief(error)}") from None


def _brief(error: Exception) -> str:
    """What TensorStore says, without the places in its own source."""
    return str(error).partition(" [")[0]
