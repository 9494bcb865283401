"""Reading at indices: slices where they are known, Gather elsewhere.

JAX's gather reads a window at each index vector. Indices beyond the bounds are clamped or, in the
mode that fills, give a value of their own; TensorFlow would raise.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Dim, DType, Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.index_vectors import (
    Windows,
    clamp,
    counting,
    lead,
    product,
    row_numbers,
    within,
)
from pipeline.lowering.rules.shape import strided_slice, transpose
from pipeline.lowering.tensor import Operand, Tensor


@rule("gather")
def _gather(b: Builder, e: Equation) -> Operand:
    numbers, sizes = e.params["dimension_numbers"], e.params["slice_sizes"]
    operand, indices = b.full_operands(e)
    inside = e.params.get("inside", False)    # as far as is known of the indices
    fills = e.params["mode"].name == "FILL_OR_DROP" and not inside
    windows = Windows(
        axes=tuple(numbers.start_index_map), sizes=tuple(sizes),
        batching=tuple(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims,
                           strict=True)))
    starts = windows.columns(b, indices)
    limits, counted = windows.limits(operand.shape), len(windows.batching)
    valid = within(b, starts[counted:], limits[counted:]) if fills else None
    if not inside:
        starts[counted:] = clamp(b, starts[counted:], limits[counted:])
    if _is_along_last(numbers, operand.shape, starts):
        taken = take_along_last(b, operand, starts[-1])
        return taken if valid is None else filled(b, valid, taken, e.params["fill_value"])
    gone = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    part = _read(b, operand, dict(zip(windows.all_axes, starts, strict=True)), windows,
                 tuple(indices.shape[:-1]), gone)
    result = _arrange(b, part, numbers.offset_dims, gone, e.output.shape)
    if valid is None:
        return result
    shown = _along_batch(b, valid, numbers.offset_dims, e.output.rank)
    return filled(b, shown, result, e.params["fill_value"])


def _is_along_last(numbers: Any, shape: Shape, starts: list[Operand]) -> bool:
    """Whether each row is read at places of its own, as by `jnp.take_along_axis`."""
    rows = tuple(range(len(shape) - 1))
    return bool(rows) and (
        tuple(numbers.operand_batching_dims) == rows == tuple(numbers.start_indices_batching_dims)
        and tuple(numbers.start_index_map) == (len(rows),) == tuple(numbers.collapsed_slice_dims)
        and len(starts[-1].shape) == len(shape))


def take_along_last(b: Builder, x: Operand, places: Operand) -> Operand:
    """`x` read along its last axis at `places`, which has the same leading dimensions."""
    *leading, size = x.shape
    if not leading:
        return take(b, x, places, 0, places.shape)
    rows: Dim = 1
    for each in leading:
        rows = rows * each
    wide = places.shape[-1]
    wanted = b.cast(b.size(size), places.dtype)
    first = b.op("Mul", counting(b, (rows, 1), 0, places.dtype), wanted)
    shape = (*leading, wide)
    flat = b.op("Add", places if len(leading) == 1 else b.reshape(places, (rows, wide)), first,
                shape=(rows, wide))
    taken = take(b, b.reshape(x, (rows * size,)), flat, 0, (rows, wide))
    return taken if len(leading) == 1 else b.reshape(taken, shape)


def filled(b: Builder, shown: Operand, result: Operand, value: Any) -> Operand:
    """`result` where it is shown, elsewhere the value that JAX fills with.

    NaN is 0 / 0: some readers choose by multiplying with the mask, which spreads it.
    """
    fill = _fill_value(value, result.dtype)
    if isinstance(fill, np.ndarray) and fill.dtype.kind in "fV" and np.isnan(fill):
        mask = b.cast(shown, result.dtype)
        return b.op("RealDiv", b.op("Mul", result, mask), mask)
    return b.select(shown, result, fill)


def take(b: Builder, operand: Operand, places: Operand, axis: int, shape: Shape) -> Tensor:
    """The operand at indices along one axis; `places` are within bounds.

    The first axis is all that Gather knows, TensorFlow 1.0's op; others are read with GatherV2.
    """
    if axis == 0 and not b.opset.modern:
        return b.op("Gather", operand, places, shape=shape)
    return b.op("GatherV2", operand, places, np.asarray(axis, np.int32), shape=shape)


class _Part(NamedTuple):
    """What was read; `labels` says of each dimension which one of the operand's it runs along, or,
    counted from -1 down, which one of the batch's."""

    tensor: Operand
    labels: list[int]


def _read(
    b: Builder, operand: Operand, starts: dict[int, Operand], windows: Windows, batch: Shape,
    gone: tuple[int, ...],
) -> _Part:
    fixed = {axis: start for axis, start in starts.items() if _same_everywhere(start)}
    if len(fixed) == len(starts) and batch and fixed:
        del fixed[next(iter(fixed))]
    moving = {axis: start for axis, start in starts.items() if axis not in fixed}
    left_out = () if moving else [axis for axis in fixed if axis in gone]
    operand = _cut(b, operand, windows, starts, fixed, left_out)
    along = [axis for axis in range(len(windows.sizes)) if axis not in left_out]
    marks = [-1 - at for at in range(len(batch))]
    if not moving:
        return _Part(operand, along)
    if len(moving) == 1:
        (axis, start), = moving.items()
        size = windows.sizes[axis]
        if dims.same(size, 1) and len(batch) == 1 and (step := _progression(start)):
            return _Part(_stride(b, operand, axis, start, step),
                         [*along[:axis], -1, *along[axis + 1:]])
        places = _places(b, start, size, batch)
        labels = [*along[:axis], *marks, *([] if dims.same(size, 1) else [axis]),
                  *along[axis + 1:]]
        shape = (*operand.shape[:axis], *places.shape, *operand.shape[axis + 1:])
        return _Part(take(b, operand, places, axis, shape), labels)
    return _read_rows(b, operand, moving, windows, batch)


def _read_rows(
    b: Builder, operand: Operand, starts: dict[int, Operand], windows: Windows, batch: Shape
) -> _Part:
    """Several indexed dimensions are made one, and its rows read."""
    axes = list(starts)
    rest = [axis for axis in range(len(operand.shape)) if axis not in axes]
    moved = transpose(b, operand, [*axes, *rest])
    inside = Windows(tuple(axes), windows.sizes)
    vectors = inside.grid(b, list(starts.values()), len(batch))
    rows = row_numbers(b, vectors, moved.shape[:len(axes)])
    tail = tuple(moved.shape[len(axes):])
    flat = b.reshape(moved, (product(moved.shape[:len(axes)]), *tail))
    made = take(b, flat, rows, 0, (*rows.shape, *tail))
    return _Part(made, [*(-1 - at for at in range(len(batch))), *axes, *rest])


def _same_everywhere(start: Operand) -> bool:
    return isinstance(start, np.ndarray) and start.size > 0 and bool((start == start.flat[0]).all())


def _cut(
    b: Builder, operand: Operand, windows: Windows, starts: dict[int, Operand],
    fixed: dict[int, Operand], gone: Collection[int],
) -> Operand:
    """The window along dimensions that are not indexed, or by one known index.

    Of the dimensions `gone` it is one element.
    """
    begin, end = [], []
    for axis, size in enumerate(operand.shape):
        start = fixed.get(axis)
        first = int(start.flat[0]) if isinstance(start, np.ndarray) else 0
        begin.append(first)
        whole = axis in starts and axis not in fixed
        end.append(size if whole else first + windows.sizes[axis])
    shape = tuple(stop - first for first, stop in zip(begin, end, strict=True))
    if not gone and dims.alike(shape, operand.shape):
        return operand
    return strided_slice(b, operand, tuple(begin), tuple(end), (1,) * len(shape), shape, gone)


def _progression(start: Operand) -> int:
    """The step between known indices that are evenly spaced; 0 if they are not."""
    if not isinstance(start, np.ndarray) or start.size < 2:
        return 0
    steps = np.diff(start)
    return int(steps[0]) if (steps == steps[0]).all() else 0


def _stride(b: Builder, operand: Operand, axis: int, start: Operand, step: int) -> Operand:
    assert isinstance(start, np.ndarray)
    rank, size = len(operand.shape), operand.shape[axis]
    stop = int(start[-1]) + (1 if step > 0 else -1)
    if stop < 0 and isinstance(size, int):
        stop -= size    # one before the first, which -1 would not say
    begin = tuple(int(start[0]) if at == axis else 0 for at in range(rank))
    end = tuple(stop if at == axis else each for at, each in enumerate(operand.shape))
    shape = tuple(start.size if at == axis else each for at, each in enumerate(operand.shape))
    return strided_slice(b, operand, begin, end,
                         tuple(step if at == axis else 1 for at in range(rank)), shape)


def _places(b: Builder, start: Operand, size: Dim, batch: Shape) -> Operand:
    """The indices [batch…, window] that a window covers; one that is 1 wide has no dimension."""
    if dims.same(size, 1):
        return start
    spread = b.reshape(start, (*start.shape, 1)) if start.shape else start
    steps = lead(b, counting(b, (size,), 0, start.dtype), len(batch))
    return b.op("Add", spread, steps, shape=(*batch, size))


def _arrange(
    b: Builder, part: _Part, offsets: tuple[int, ...], gone: tuple[int, ...], shape: Shape
) -> Operand:
    """Dimensions in the output's order: the window's at `offsets`, the batch's between them."""
    tensor, labels = part
    extra = [at for at, label in enumerate(labels) if label in gone]
    if extra:
        labels = [label for at, label in enumerate(labels) if at not in extra]
        kept = tuple(size for at, size in enumerate(tensor.shape) if at not in extra)
        tensor = b.op("Squeeze", tensor, shape=kept, squeeze_dims=extra)
    rank = len(shape)
    window = (axis for axis in sorted({*labels, *range(rank + len(gone))})
              if axis >= 0 and axis not in gone)
    batch = (-1 - at for at in range(rank))
    wanted = [next(window) if at in offsets else next(batch) for at in range(rank)]
    tensor = transpose(b, tensor, [labels.index(label) for label in wanted if label in labels])
    same = len(tensor.shape) == rank and all(
        dims.same(a, c) for a, c in zip(tensor.shape, shape, strict=True))
    return tensor if same else b.reshape(tensor, shape)


def _along_batch(b: Builder, valid: Operand, offsets: Any, rank: int) -> Operand:
    """A mask over the batch dimensions, to be broadcast over the window's."""
    if not offsets or not valid.shape:
        return valid
    sizes = iter(valid.shape)
    return b.reshape(valid, tuple(1 if axis in offsets else next(sizes) for axis in range(rank)))


def _fill_value(value: Any, dtype: DType) -> Operand:
    """NaN, the smallest signed or the largest unsigned integer, True: `jax.lax.gather`."""
    if value is not None:
        return np.asarray(value, dtype)
    if dtype.kind == "b":
        return np.asarray(True)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.asarray(info.min if dtype.kind == "i" else info.max, dtype)
    return np.asarray(np.nan, dtype)
