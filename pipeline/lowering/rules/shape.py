"""Primitives that move elements without looking at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder, Operand, Tensor
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation, Shape
from pipeline.lowering.registry import rule


@rule("reshape")
def _reshape(b: Builder, e: Equation) -> Operand:
    if e.params.get("dimensions") is not None:
        raise Unsupported("dimensions")
    return b.reshape(b.full(e.inputs[0]), e.output.shape)


@rule("squeeze")
def _squeeze(b: Builder, e: Equation) -> Operand:
    x = b.operand(e.inputs[0])
    if not x.shape:
        return x
    axes = [int(axis) for axis in e.params["dimensions"]]
    kept = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return b.op("Squeeze", x, shape=kept, squeeze_dims=axes) if axes else x


@rule("expand_dims")
def _expand_dims(b: Builder, e: Equation) -> Operand:
    return b.reshape(b.full(e.inputs[0]), e.output.shape)


@rule("broadcast_in_dim")
def _broadcast_in_dim(b: Builder, e: Equation) -> Operand:
    """Lazy: only the missing dimensions of 1 are put in; `Builder.full` repeats when need be."""
    x, axes = b.operand(e.inputs[0]), e.params["broadcast_dimensions"]
    if not x.shape:
        return x
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
    x = b.operand(e.inputs[0])
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
    axis = np.asarray(e.params["dimension"], np.int32)
    return b.op("ConcatV2", *b.full_operands(e), axis, shape=e.output.shape)


@rule("slice")
def _slice(b: Builder, e: Equation) -> Operand:
    x = b.full(e.inputs[0])
    strides = e.params["strides"] or (1,) * len(x.shape)
    return strided_slice(b, x, e.params["start_indices"], e.params["limit_indices"], strides,
                         e.output.shape)


def strided_slice(
    b: Builder, x: Operand, begin: Shape, end: Shape, strides: Shape, shape: Shape
) -> Tensor:
    """`x[begin:end:strides]`; ends at the dimension's own end are left open."""
    open_end = sum(1 << axis for axis, (stop, size) in enumerate(zip(end, x.shape, strict=True))
                   if dims.same(stop, size))
    stops = tuple(0 if open_end >> axis & 1 else stop for axis, stop in enumerate(end))
    return b.op("StridedSlice", x, b.sizes(begin), b.sizes(stops), b.sizes(strides), shape=shape,
                end_mask=open_end)


@rule("rev")
def _rev(b: Builder, e: Equation) -> Operand:
    axes = np.asarray(e.params["dimensions"], np.int32)
    return b.op("ReverseV2", b.full(e.inputs[0]), axes, shape=e.output.shape)


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
    """Negative amounts cut, amounts between elements space them out."""
    x, value = b.full_operands(e)
    amounts = e.params["padding_config"]
    if any(inner for _, _, inner in amounts):
        raise Unsupported("interior padding")
    grow = [(max(low, 0), max(high, 0)) for low, high, _ in amounts]
    if any(low or high for low, high in grow):
        x = pad(b, x, grow, value)
    if all(low >= 0 and high >= 0 for low, high, _ in amounts):
        return x
    begin = tuple(max(-low, 0) for low, _, _ in amounts)
    end = tuple(size - max(-high, 0) for size, (_, high, _) in zip(x.shape, amounts, strict=True))
    return strided_slice(b, x, begin, end, (1,) * len(begin), e.output.shape)


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
    return b.op("Tile", b.full(e.inputs[0]), b.sizes(e.params["reps"]), shape=e.output.shape)


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


@rule("empty", "empty2")
def _empty(b: Builder, e: Equation) -> Operand:
    return np.zeros((), e.output.dtype)


@rule("iota_2x32_shape")
def _iota_2x32_shape(b: Builder, e: Equation) -> list[Operand]:
    """The upper and lower 32 bits of 0, 1, 2, … in row-major order."""
    shape = e.output.shape
    if not dims.is_known(shape):
        raise Unsupported("random bits of unknown shape")
    counts = np.arange(int(np.prod(shape)), dtype=np.uint64).reshape(shape)
    return [(counts >> np.uint64(32)).astype(np.uint32), counts.astype(np.uint32)]
