"""Windows that are reduced: MaxPool and AvgPool where they fit, elsewhere slices combined."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import DType, Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.index_vectors import product
from pipeline.lowering.rules.shape import pad_or_cut, spread, strided_slice, transpose
from pipeline.lowering.tensor import Operand
from pipeline.lowering.window import padding_name

_MOST_SLICES = 256


class Windows:
    """The windows of one equation over one operand."""

    def __init__(self, b: Builder, e: Equation, outside: Operand) -> None:
        params = e.params
        self._builder = b
        self.size: list[int] = list(params["window_dimensions"])
        self.strides: list[int] = list(params["window_strides"])
        self.dilation: list[int] = list(params["window_dilation"])
        self.amounts: list[tuple[Any, Any]] = list(params["padding"])
        self.outside = outside    # what lies around the operand and between its elements
        self.shape = e.output.shape
        self.operand = spread(b, b.full(e.inputs[0]), [n - 1 for n in params["base_dilation"]],
                              outside)

    @property
    def moving(self) -> list[int]:
        """The dimensions along which the windows are more than the element itself."""
        return [axis for axis, size in enumerate(self.size)
                if size != 1 or self.strides[axis] != 1
                or not all(dims.same(each, 0) for each in self.amounts[axis])]

    def slices(self, b: Builder, op: str) -> Operand:
        """All elements of a window combined, one after another."""
        if math.prod(self.size) > _MOST_SLICES:
            raise Unsupported(f"a window of {math.prod(self.size)} elements, dilated or of "
                              f"dtype {self.operand.dtype}")
        result: Operand | None = None
        for place in itertools.product(*(range(size) for size in self.size)):
            part = self.slice(b, place)
            result = part if result is None else b.op(op, result, part)
        assert result is not None
        return result

    def slice(self, b: Builder, place: Sequence[int]) -> Operand:
        """The elements that lie at one place of all windows."""
        begin = tuple(at * step for at, step in zip(place, self.dilation, strict=True))
        end = tuple(first + (count - 1) * step + 1 for first, count, step in
                    zip(begin, self.shape, self.strides, strict=True))
        return strided_slice(b, self.padded, begin, end, tuple(self.strides), self.shape)

    @cached_property
    def padded(self) -> Operand:
        """The operand with what lies around it."""
        return pad_or_cut(self._builder, self.operand, self.amounts, self.outside)

    def pool(self, b: Builder, op: str, *, padding_counts: bool) -> Operand:
        """TensorFlow's op over two or three dimensions, the others as batch and channels."""
        moving = self.moving
        rank = 3 if len(moving) == 3 else 2
        last = len(self.size) - 1
        kept = [axis for axis in range(last + 1) if axis not in moving and axis != last]
        channels = [] if last in moving else [last]
        order = [*kept, *moving, *channels]
        image, whole = (self._image(tuple(shape[axis] for axis in order), len(kept), rank, channels)
                        for shape in (self.operand.shape, self.shape))
        moved = transpose(b, self.operand, order)
        x = moved if tuple(moved.shape) == image else b.reshape(moved, image)
        fill = (0,) * (rank - len(moving))
        size, strides = ([1, *(1 for _ in fill), *(each[axis] for axis in moving), 1]
                         for each in (self.size, self.strides))
        amounts = [(0, 0), *((0, 0) for _ in fill), *(self.amounts[axis] for axis in moving),
                   (0, 0)]
        padding = padding_name(image, whole, size, strides, amounts)
        if not padding or (padding == "SAME" and padding_counts):
            x, padding = pad_or_cut(b, x, amounts, self.outside), "VALID"
        made: Operand = b.op(f"{op}3D" if rank == 3 else op, x, shape=whole, ksize=size,
                             strides=strides, padding=padding)
        ordered = tuple(self.shape[axis] for axis in order)
        if tuple(made.shape) != ordered:
            made = b.reshape(made, ordered)
        return transpose(b, made, [int(axis) for axis in np.argsort(order)])

    def _image(self, shape: Shape, kept: int, rank: int, channels: list[int]) -> Shape:
        """[batch, spatial…, channels]; dimensions that are not there are 1."""
        spatial = shape[kept:len(shape) - len(channels)]
        batch = shape[0] if kept == 1 else product(shape[:kept])
        tail = shape[-1:] if channels else (1,)
        return (batch, *(1,) * (rank - len(spatial)), *spatial, *tail)

    def fits(self, dtypes: str) -> bool:
        """Whether TensorFlow has an op for it."""
        name = self.operand.dtype.name
        known = name == "float32" or (len(self.moving) < 3 and name in dtypes.split())
        return known and 0 < len(self.moving) <= 3 and all(n == 1 for n in self.dilation)


def _lowest(dtype: DType) -> Operand:
    if dtype.kind == "b":
        return np.asarray(False)
    return np.asarray(np.iinfo(dtype).min if dtype.kind in "iu" else -math.inf, dtype)


def _highest(dtype: DType) -> Operand:
    if dtype.kind == "b":
        return np.asarray(True)
    return np.asarray(np.iinfo(dtype).max if dtype.kind in "iu" else math.inf, dtype)


@rule("reduce_window_max")
def _max(b: Builder, e: Equation) -> Operand:
    outside = e.params.get("outside")
    windows = Windows(b, e, _lowest(e.output.dtype) if outside is None else
                      np.asarray(outside, e.output.dtype))
    if windows.fits("float64 float16 bfloat16"):
        return windows.pool(b, "MaxPool", padding_counts=False)
    return windows.slices(b, "LogicalOr" if e.output.dtype.kind == "b" else "Maximum")


@rule("reduce_window_min")
def _min(b: Builder, e: Equation) -> Operand:
    windows = Windows(b, e, _highest(e.output.dtype))
    if not windows.fits("float64 float16 bfloat16"):
        return windows.slices(b, "LogicalAnd" if e.output.dtype.kind == "b" else "Minimum")
    windows.operand = b.op("Neg", windows.operand)
    windows.outside = _lowest(e.output.dtype)
    return b.op("Neg", windows.pool(b, "MaxPool", padding_counts=False))


@rule("reduce_window_sum")
def _sum(b: Builder, e: Equation) -> Operand:
    """The average over windows that count their padding, times the window's size."""
    windows = Windows(b, e, np.zeros((), e.output.dtype))
    if not windows.fits("float64 float16 bfloat16"):
        return windows.slices(b, "Add")
    average = windows.pool(b, "AvgPool", padding_counts=True)
    return b.op("Mul", average, np.asarray(math.prod(windows.size), e.output.dtype))


@rule("nn.avg_pool")
def _avg_pool(b: Builder, e: Equation) -> Operand:
    """The sum over a window divided by how many elements it has (`padding_counts` or not)."""
    windows = Windows(b, e, np.zeros((), e.output.dtype))
    return windows.pool(b, "AvgPool", padding_counts=e.params["padding_counts"])
