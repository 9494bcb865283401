"""Primitives that move elements without looking at them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Array, Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.tensor import Operand, Tensor


@rule("reshape")
def _reshape(b: Builder, e: Equation) -> Operand:
    value, shape = e.inputs[0], e.output.shape
    added = e.output.rank - value.rank
    if value.rank and added > 0 and dims.alike((*(1,) * added, *value.shape), shape):
        return b.operand(value)    # lazy: it broadcasts as it is
    return b.reshape(b.full(e.inputs[0]), e.output.shape)


@rule("squeeze")
def _squeeze(b: Builder, e: Equation) -> Operand:
    x = b.ranked(b.operand(e.inputs[0]), e.inputs[0].rank)
    if not x.shape:
        return x
    axes = [int(axis) for axis in e.params["dimensions"]]
    kept = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return b.op("Squeeze", x, shape=kept, squeeze_dims=axes) if axes else x


@rule("broadcast_in_dim")
def _broadcast_in_dim(b: Builder, e: Equation) -> Operand:
    """Lazy: only the missing dimensions of 1 are put in; `Builder.full` repeats when need be."""
    x, axes = b.operand(e.inputs[0]), e.params["broadcast_dimensions"]
    rank = e.output.rank
    if not x.shape or tuple(axes[len(axes) - len(x.shape):]) == tuple(
            range(rank - len(x.shape), rank)):
        return x    # TensorFlow broadcasts from the last dimension, too
    x = b.ranked(x, len(axes))
    physical: list[Any] = [1] * e.output.rank
    for axis, size in zip(axes, x.shape, strict=True):
        physical[axis] = size
    if len(physical) == len(x.shape):
        return x
    if isinstance(x, np.ndarray) and dims.is_known(physical):
        return x.reshape(physical)
    return b.reshape(x, tuple(physical))


@rule("transpose")
def _transpose(b: Builder, e: Equation) -> Operand:
    x = b.ranked(b.operand(e.inputs[0]), e.inputs[0].rank)
    return transpose(b, x, e.params["permutation"]) if x.shape else x


def transpose(b: Builder, x: Operand, order: Sequence[int]) -> Operand:
    """`x` with its axes in this order."""
    if list(order) == sorted(order):
        return x
    if isinstance(x, np.ndarray):
        return x.transpose(order)
    shape = tuple(x.shape[axis] for axis in order)
    return b.op("Transpose", x, np.asarray(order, np.int32), shape=shape)


@rule("concatenate")
def _concatenate(b: Builder, e: Equation) -> Operand:
    axis = e.params["dimension"]
    parts = [b.full(value) for value in e.inputs if not dims.same(value.shape[axis], 0)]
    if len(parts) == 1:
        return parts[0]
    return b.op("ConcatV2", *parts, np.asarray(axis, np.int32), shape=e.output.shape)


@rule("slice")
def _slice(b: Builder, e: Equation) -> Operand:
    x = b.full(e.inputs[0])
    strides = e.params["strides"] or (1,) * len(x.shape)
    begin, end = e.params["start_indices"], e.params["limit_indices"]
    gone = e.params.get("gone", ())
    kept = iter(e.output.shape)
    shape = tuple(1 if axis in gone else next(kept) for axis in range(len(begin)))
    return strided_slice(b, x, begin, end, strides, shape, gone)


def strided_slice(
    b: Builder, x: Operand, begin: Shape, end: Shape, strides: Shape, shape: Shape,
    gone: Collection[int] = (),
) -> Tensor:
    """`x[begin:end:strides]`, of the dimensions `gone` the one element without its dimension.

    Begins and ends at the dimension's own are left open; of a dimension of unknown size they are
    counted from its end where that is a number.
    """
    first = [start if dims.same(start, size) else _from_the_end(start, size)
             for start, size in zip(begin, x.shape, strict=True)]
    last = [_from_the_end(stop, size) for stop, size in zip(end, x.shape, strict=True)]
    open_begin, open_end, removed = (sum(1 << axis for axis in axes) for axes in (
        [axis for axis, start in enumerate(first) if dims.same(start, 0)
         and not (isinstance(strides[axis], int) and strides[axis] < 0) and axis not in gone],
        [axis for axis, stop in enumerate(last) if stop is None and axis not in gone], gone))
    stops = [stop or 0 for stop in last]    # where it is left open, no matter what
    return b.op("StridedSlice", x, b.sizes(first), b.sizes(stops), b.sizes(strides),
                shape=tuple(size for axis, size in enumerate(shape) if axis not in gone),
                begin_mask=open_begin, end_mask=open_end, shrink_axis_mask=removed)


def _from_the_end(place: Any, size: Any) -> Any:
    """A place in a dimension: None for its end, a negative number before an end that is unknown."""
    if dims.same(place, size):
        return None
    if isinstance(place, int):
        return place
    back = str(size - place)
    return -int(back) if back.isdigit() else place


@rule("rev")
def _rev(b: Builder, e: Equation) -> Operand:
    return flip(b, b.full(e.inputs[0]), e.params["dimensions"])


def flip(b: Builder, x: Operand, axes: Sequence[int]) -> Operand:
    """`x` from its end to its beginning along some axes."""
    if isinstance(x, np.ndarray):
        return np.asarray(np.flip(x, tuple(axes)))
    return b.op("ReverseV2", x, np.asarray(axes, np.int32), shape=x.shape)


@rule("iota")
def _iota(b: Builder, e: Equation) -> Operand:
    """A lazy range along one dimension."""
    axis, shape = e.params["dimension"], e.output.shape
    counts = b.op("Range", np.asarray(0, np.int32), b.size(shape[axis]),
                  np.asarray(1, np.int32), shape=(shape[axis],))
    physical = tuple(size if at == axis else 1 for at, size in enumerate(shape))
    counted = counts if len(shape) == 1 else b.reshape(counts, physical)
    return b.cast(counted, e.output.dtype)


@rule("dim_as_value")
def _dim_as_value(b: Builder, e: Equation) -> Operand:
    return b.cast(b.size(e.params["dim"]), e.output.dtype)


@rule("pad")
def _pad(b: Builder, e: Equation) -> Operand:
    x, value = b.full_operands(e)
    amounts = e.params["padding_config"]
    x = spread(b, x, [inner for _, _, inner in amounts], value)
    return pad_or_cut(b, x, [(low, high) for low, high, _ in amounts], value)


def pad_or_cut(
    b: Builder, x: Operand, amounts: Sequence[tuple[Any, Any]], value: Operand
) -> Operand:
    """`value` around `x`; where an amount is negative, less of `x`. Unknown amounts are not."""
    def at_least_0(amount: Any) -> Any:
        return max(amount, 0) if isinstance(amount, int) else amount

    grow = [(at_least_0(low), at_least_0(high)) for low, high in amounts]
    if any(not dims.same(amount, 0) for pair in grow for amount in pair):
        x = pad(b, x, grow, value)
    cut = [(low - more, high - extra) for (low, high), (more, extra)
           in zip(amounts, grow, strict=True)]
    if all(dims.same(amount, 0) for pair in cut for amount in pair):
        return x
    begin = tuple(-low for low, _ in cut)
    end = tuple(size + high for size, (_, high) in zip(x.shape, cut, strict=True))
    shape = tuple(stop - start for start, stop in zip(begin, end, strict=True))
    return strided_slice(b, x, begin, end, (1,) * len(begin), shape)


def spread(b: Builder, x: Operand, gaps: Sequence[int], value: Operand) -> Operand:
    """`value` `gaps` times between neighbours: each gets them behind it, the last loses them."""
    for axis, gap in enumerate(gaps):
        if not gap or dims.same(x.shape[axis], 0):
            continue
        if isinstance(x, np.ndarray) and isinstance(value, np.ndarray):
            x = _spread_known(x, axis, gap, value)
            continue
        before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1:]
        apart = b.reshape(x, (*before, size, 1, *after))
        amounts = [(0, gap if at == axis + 1 else 0) for at in range(len(x.shape) + 1)]
        filled = pad(b, apart, amounts, value)
        joined = b.reshape(filled, (*before, size * (gap + 1), *after))
        kept = (*before, size * (gap + 1) - gap, *after)
        x = strided_slice(b, joined, (0,) * len(kept), kept, (1,) * len(kept), kept)
    return x


def _spread_known(x: Array, axis: int, gap: int, value: Array) -> Array:
    wide = np.full((*x.shape[:axis], (x.shape[axis] - 1) * (gap + 1) + 1, *x.shape[axis + 1:]),
                   value, x.dtype)
    np.moveaxis(wide, axis, 0)[::gap + 1] = np.moveaxis(x, axis, 0)
    return wide


def pad(b: Builder, x: Operand, amounts: Sequence[tuple[Any, Any]], value: Operand) -> Tensor:
    """`value` around `x`: `amounts` before and after each dimension, none negative."""
    flat = [amount for pair in amounts for amount in pair]
    paddings = b.sizes(flat)
    if isinstance(paddings, np.ndarray):
        paddings = paddings.reshape(-1, 2)
    else:
        paddings = b.reshape(paddings, (len(amounts), 2))
    shape = tuple(size + low + high for size, (low, high) in zip(x.shape, amounts, strict=True))
    if isinstance(value, np.ndarray) and value == 0:
        return b.op("Pad", x, paddings, shape=shape)
    return b.op("PadV2", x, paddings, value, shape=shape)


@rule("tile")
def _tile(b: Builder, e: Equation) -> Operand:
    return b.tile(b.full(e.inputs[0]), e.params["reps"], e.output.shape)


@rule("split")
def _split(b: Builder, e: Equation) -> list[Tensor]:
    x, sizes, axis = b.full(e.inputs[0]), e.params["sizes"], e.params["axis"]
    shapes = [value.shape for value in e.outputs]
    if all(dims.same(size, sizes[0]) for size in sizes):
        return b.ops("Split", np.asarray(axis, np.int32), x, shapes=shapes, num_split=len(sizes))
    return b.ops("SplitV", x, b.sizes(sizes), np.asarray(axis, np.int32), shapes=shapes,
                 num_split=len(sizes))


@rule("stack")
def _stack(b: Builder, e: Equation) -> Operand:
    return b.op("Pack", *b.full_operands(e), shape=e.output.shape, axis=e.params["axis"])


@rule("unstack")
def _unstack(b: Builder, e: Equation) -> list[Tensor]:
    return b.ops("Unpack", b.full(e.inputs[0]), shapes=[value.shape for value in e.outputs],
                 num=len(e.outputs), axis=e.params["axis"])


@rule("empty")
def _empty(b: Builder, e: Equation) -> Operand:
    return np.zeros((), e.output.dtype)


@rule("iota_2x32_shape")
def _iota_2x32_shape(b: Builder, e: Equation) -> list[Operand]:
    """The upper and lower 32 bits of 0, 1, 2, … in row-major order."""
    shape = e.output.shape
    if not dims.is_known(shape):    # of fewer than 2^31 elements
        count: Any = 1
        for size in shape:
            count = count * size
        numbers = b.op("Range", np.asarray(0, np.int32), b.size(count), np.asarray(1, np.int32),
                       shape=(count,))
        return [np.zeros((), np.uint32), b.cast(b.reshape(numbers, shape), np.dtype(np.uint32))]
    counts = np.arange(int(np.prod(shape)), dtype=np.uint64).reshape(shape)
    return [(counts >> np.uint64(32)).astype(np.uint32), counts.astype(np.uint32)]
