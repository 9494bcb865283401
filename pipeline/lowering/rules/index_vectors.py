"""Index vectors of gathers and scatters: which operand dimensions they name, kept within bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Dim, Shape
from pipeline.lowering.rules.shape import strided_slice
from pipeline.lowering.tensor import Operand

INDEX = np.dtype(np.int32)


@dataclass(frozen=True)
class Windows:
    """The windows that index vectors place over an operand.

    Attributes:
        axes: the operand's dimensions that a vector's components are for, in their order.
        sizes: of the window, along every dimension of the operand.
        batching: (dimension of the operand, dimension of the indices) that go together; they act
            as components that count up.
    """

    axes: tuple[int, ...]
    sizes: Shape
    batching: tuple[tuple[int, int], ...] = ()

    @property
    def all_axes(self) -> tuple[int, ...]:
        """The operand's dimensions that are indexed, those that go together first."""
        return (*(axis for axis, _ in self.batching), *self.axes)

    def limits(self, shape: Shape) -> Shape:
        """The largest start along each indexed dimension."""
        return tuple(shape[axis] - self.sizes[axis] for axis in self.all_axes)

    def columns(self, b: Builder, indices: Operand) -> list[Operand]:
        """The components of the vectors, each over the batch dimensions of `indices`."""
        batch = tuple(indices.shape[:-1])
        indices = to_index_type(b, indices)
        count = len(self.axes)
        columns: list[Operand] = []
        if count == 1:
            columns = [_without_last(b, indices, batch)]
        elif count and isinstance(indices, np.ndarray):
            columns = [np.asarray(indices[..., at]) for at in range(count)]
        elif count:
            columns = list(b.ops("Unpack", indices, shapes=[batch] * count, num=count,
                                 axis=len(batch)))
        counted = [b.expand(counting(b, batch, along, indices.dtype), batch)
                   for _, along in self.batching]
        return [*counted, *columns]

    def grid(self, b: Builder, starts: list[Operand], rank: int) -> Operand:
        """Index vectors [batch…, window…, component] of every element of every window."""
        axes = self.all_axes
        columns = []
        for at, start in enumerate(starts):
            shape = (*start.shape, *(1,) * len(axes))
            spread = b.reshape(start, shape) if start.shape else start
            steps = counting(b, tuple(self.sizes[each] for each in axes), at, start.dtype)
            steps = lead(b, steps, rank)
            columns.append(b.op("Add", spread, steps))
        whole = b.joint(columns)
        return b.stack([b.expand(column, whole) for column in columns], len(whole))


def to_index_type(b: Builder, indices: Operand) -> Operand:
    """int32 or int64, which TensorFlow takes for indices."""
    if indices.dtype.name in ("int32", "int64"):
        return indices
    wide = indices.dtype.name in ("uint32", "uint64")
    return b.cast(indices, np.dtype(np.int64) if wide else INDEX)


def counting(b: Builder, shape: Shape, axis: int, dtype: np.dtype[np.generic]) -> Operand:
    """0, 1, 2, … along one dimension of `shape`, lazy along the others."""
    size = shape[axis]
    lined = tuple(size if at == axis else 1 for at in range(len(shape)))
    if isinstance(size, int):
        return np.arange(size, dtype=dtype).reshape(lined)
    counts = b.op("Range", np.asarray(0, np.int32), b.size(size), np.asarray(1, np.int32),
                  shape=(size,))
    return b.cast(b.reshape(counts, lined) if len(lined) > 1 else counts, dtype)


def lead(b: Builder, x: Operand, count: int) -> Operand:
    """`x` with `count` dimensions of 1 before its own."""
    shape = (*(1,) * count, *x.shape)
    return x.reshape(shape) if isinstance(x, np.ndarray) else b.reshape(x, shape)


def _without_last(b: Builder, indices: Operand, batch: Shape) -> Operand:
    if isinstance(indices, np.ndarray):
        return np.asarray(indices[..., 0])
    return b.op("Squeeze", indices, shape=batch, squeeze_dims=[len(batch)])


def clamp(b: Builder, starts: list[Operand], limits: Shape) -> list[Operand]:
    """Starts between 0 and the limits; those that are known to be stay as they are."""
    return [_clamp(b, to_index_type(b, start), limit)
            for start, limit in zip(starts, limits, strict=True)]


def _clamp(b: Builder, start: Operand, limit: Dim) -> Operand:
    zero = np.zeros((), start.dtype)
    if isinstance(limit, int) and limit == 0:
        return zero if not start.shape else b.expand(zero, start.shape)
    if isinstance(start, np.ndarray):
        if isinstance(limit, int):
            return np.asarray(np.clip(start, 0, max(limit, 0)), start.dtype)
        if not start.any():
            return start
    highest = b.cast(b.size(limit), start.dtype)
    return b.op("Maximum", b.op("Minimum", start, highest), zero)


def within(b: Builder, starts: list[Operand], limits: Shape) -> Operand | None:
    """Whether all starts are between 0 and the limits; None if they surely are."""
    parts: list[Operand] = []
    for start, limit in zip(starts, limits, strict=True):
        start = to_index_type(b, start)
        if isinstance(start, np.ndarray) and isinstance(limit, int) and (
                ((start >= 0) & (start <= limit)).all()):
            continue
        low = b.op("GreaterEqual", start, np.zeros((), start.dtype))
        high = b.op("LessEqual", start, b.cast(b.size(limit), start.dtype))
        parts.append(b.op("LogicalAnd", low, high))
    result: Operand | None = None
    for part in parts:
        result = part if result is None else b.op("LogicalAnd", result, part)
    return result


def first_rows(b: Builder, x: Operand, count: Dim) -> Operand:
    """The first `count` along the first dimension."""
    shape = (count, *x.shape[1:])
    return strided_slice(b, x, (0,) * len(shape), shape, (1,) * len(shape), shape)


def row_numbers(b: Builder, vectors: Operand, sizes: Shape) -> Operand:
    """Index vectors as numbers of rows: row-major over the indexed dimensions."""
    if len(sizes) == 1:
        return b.reshape(vectors, tuple(vectors.shape[:-1]))
    strides = [product(sizes[at + 1:]) for at in range(len(sizes))]
    factors = b.cast(b.sizes(strides), vectors.dtype)
    if isinstance(vectors, np.ndarray) and isinstance(factors, np.ndarray):
        return np.asarray((vectors * factors).sum(-1), vectors.dtype)
    weighted = b.op("Mul", vectors, factors, shape=vectors.shape)
    last = np.asarray([len(vectors.shape) - 1], np.int32)
    return b.op("Sum", weighted, last, shape=tuple(vectors.shape[:-1]))


def product(shape: Shape) -> Dim:
    """The number of elements."""
    result: Dim = 1
    for size in shape:
        result = result * size
    return result
