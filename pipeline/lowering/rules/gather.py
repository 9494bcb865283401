"""Reading at indices: GatherV2 along one axis, GatherNd for everything else.

JAX's gather reads a window at each index vector. Indices beyond the bounds are clamped or, in the
mode that fills, give a value of their own; TensorFlow would raise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder, Operand, Tensor
from pipeline.lowering.ir import DType, Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.index_vectors import Windows, clamp, within
from pipeline.lowering.rules.shape import strided_slice, transpose


@rule("gather")
def _gather(b: Builder, e: Equation) -> Operand:
    numbers, sizes = e.params["dimension_numbers"], e.params["slice_sizes"]
    operand, indices = b.full_operands(e)
    fills = e.params["mode"].name == "FILL_OR_DROP"
    windows = Windows(
        axes=tuple(numbers.start_index_map), sizes=tuple(sizes),
        batching=tuple(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims,
                           strict=True)))
    starts = windows.columns(b, indices)
    valid = within(b, starts, windows.limits(operand.shape)) if fills else None
    starts = clamp(b, starts, windows.limits(operand.shape))
    gone = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    made = _read(b, operand, starts, windows, gone, tuple(indices.shape[:-1]))
    result = transpose(b, made, _order(e, numbers))
    if valid is None:
        return result
    shown = _along_batch(b, valid, numbers.offset_dims, e.output.rank)
    return b.select(shown, result, _fill_value(e.params["fill_value"], e.output.dtype))


def _read(
    b: Builder, operand: Operand, starts: list[Operand], windows: Windows,
    gone: tuple[int, ...], batch: Shape,
) -> Operand:
    """The windows as [batch…, window dimensions that stay…] in the operand's order."""
    axes = windows.all_axes
    operand = _cut(b, operand, windows)
    single = all(windows.sizes[axis] == 1 for axis in axes)
    rest = [axis for axis in range(len(operand.shape)) if axis not in axes]
    moved = transpose(b, operand, [*axes, *rest])
    tail = tuple(operand.shape[axis] for axis in rest)
    if single and len(axes) == 1:
        column = starts[0]
        made: Operand = b.op("GatherV2", moved, column, np.asarray(0, np.int32),
                             shape=(*batch, *tail))
        spread: list[int] = [axes[0]]
        return _settle(b, made, batch, spread, rest, windows, gone, inserted=True)
    if single:
        index = b.stack(starts, len(batch))
        made = b.op("GatherNd", moved, index, shape=(*batch, *tail)) if axes else moved
        return _settle(b, made, batch, list(axes), rest, windows, gone, inserted=True)
    grid = tuple(windows.sizes[axis] for axis in axes)
    index = windows.grid(b, starts, len(batch))
    made = b.op("GatherNd", moved, index, shape=(*batch, *grid, *tail))
    return _settle(b, made, batch, list(axes), rest, windows, gone, inserted=False)


def _cut(b: Builder, operand: Operand, windows: Windows) -> Operand:
    """Dimensions that are not indexed are read from 0 on."""
    shape = tuple(size if axis in windows.all_axes else windows.sizes[axis]
                  for axis, size in enumerate(operand.shape))
    if all(dims.same(a, c) for a, c in zip(shape, operand.shape, strict=True)):
        return operand
    ones = (1,) * len(shape)
    return strided_slice(b, operand, (0,) * len(shape), shape, ones, shape)


def _settle(
    b: Builder, made: Operand, batch: Shape, axes: list[int], rest: list[int], windows: Windows,
    gone: tuple[int, ...], *, inserted: bool,
) -> Operand:
    """Put the window's dimensions in the operand's order and drop those that are `gone`.

    `inserted`: the windows have one element along `axes`, and `made` has no dimension for them.
    """
    if not inserted:
        order = [*axes, *rest]
        places = [len(batch) + order.index(axis) for axis in sorted(order)]
        made = transpose(b, made, [*range(len(batch)), *places])
    kept = [axis for axis in range(len(windows.sizes)) if axis not in gone]
    shape = (*batch, *(windows.sizes[axis] for axis in kept))
    if len(made.shape) == len(shape) and all(
            dims.same(a, c) for a, c in zip(made.shape, shape, strict=True)):
        return made
    return b.reshape(made, shape)


def _order(e: Equation, numbers: Any) -> list[int]:
    """Where each output dimension lies in [batch…, window…]."""
    offsets = list(numbers.offset_dims)
    batch = [axis for axis in range(e.output.rank) if axis not in offsets]
    return [batch.index(axis) if axis in batch else len(batch) + offsets.index(axis)
            for axis in range(e.output.rank)]


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


@rule("dynamic_slice")
def _dynamic_slice(b: Builder, e: Equation) -> Operand:
    operand, *starts = b.full_operands(e)
    sizes = e.output.shape
    limits = tuple(have - want for have, want in zip(operand.shape, sizes, strict=True))
    places = clamp(b, starts, limits)
    begin = tuple(int(place) for place in places if isinstance(place, np.ndarray))
    if len(begin) == len(places):
        end = tuple(place + size for place, size in zip(begin, sizes, strict=True))
        return strided_slice(b, operand, begin, end, (1,) * len(begin), sizes)
    return b.op("Slice", operand, b.stack(places, 0), b.sizes(sizes), shape=sizes)


@rule("dynamic_update_slice")
def _dynamic_update_slice(b: Builder, e: Equation) -> Tensor:
    """The update with zeros around it, chosen where ones with zeros around them say so."""
    operand, update, *starts = b.full_operands(e)
    limits = tuple(have - want for have, want in
                   zip(operand.shape, update.shape, strict=True))
    places = clamp(b, starts, limits)
    before = b.stack(places, 0)
    after = b.op("Sub", b.sizes(limits), before) if limits else before
    amounts = b.op("Pack", before, after, axis=1, shape=(len(limits), 2))
    ones = b.expand(np.asarray(True), update.shape)
    mask = b.op("Pad", ones, amounts, shape=operand.shape)
    moved = b.op("Pad", update, amounts, shape=operand.shape)
    return b.select(mask, moved, operand)
