"""Running sums, products and extremes along one axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.shape import strided_slice
from pipeline.lowering.tensor import Operand


def running(primitive: str, op: str) -> None:
    """TensorFlow's own running op."""
    def lower(b: Builder, e: Equation) -> Operand:
        axis = np.asarray(e.params["axis"], np.int32)
        return b.op(op, b.full(e.inputs[0]), axis, shape=e.output.shape,
                    reverse=e.params["reverse"])
    rule(primitive)(lower)


running("cumsum", "Cumsum")
running("cumprod", "Cumprod")


def doubling(primitive: str, combine: Callable[[Builder, Operand, Operand], Operand]) -> None:
    """In ⌈log₂ n⌉ steps: each combines an element with the one 1, 2, 4, … places before it."""
    def lower(b: Builder, e: Equation) -> Operand:
        x, axis = b.full(e.inputs[0]), e.params["axis"]
        size = x.shape[axis]
        if not dims.is_known([size]):
            raise Unsupported("along a dimension of unknown size")
        distance = 1
        while distance < size:
            x = _step(b, x, axis, distance, e.params["reverse"], combine)
            distance *= 2
        return x
    rule(primitive)(lower)


def _step(
    b: Builder, x: Operand, axis: int, distance: int, reverse: bool,
    combine: Callable[[Builder, Operand, Operand], Operand],
) -> Operand:
    size = x.shape[axis]
    early = _part(b, x, axis, 0, size - distance)
    late = _part(b, x, axis, distance, size)
    both = combine(b, early, late)
    kept = _part(b, x, axis, size - distance, size) if reverse else \
        _part(b, x, axis, 0, distance)
    parts = (both, kept) if reverse else (kept, both)
    return b.op("ConcatV2", *parts, np.asarray(axis, np.int32), shape=x.shape)


def _part(b: Builder, x: Operand, axis: int, start: int, stop: int) -> Operand:
    begin = tuple(start if at == axis else 0 for at in range(len(x.shape)))
    end = tuple(stop if at == axis else size for at, size in enumerate(x.shape))
    shape = tuple(stop - start if at == axis else size for at, size in enumerate(x.shape))
    return strided_slice(b, x, begin, end, (1,) * len(begin), shape)


def _log_add_exp(b: Builder, x: Operand, y: Operand) -> Operand:
    """The larger plus log1p(exp(-|x - y|)); equal infinities stay as they are."""
    larger, difference = b.op("Maximum", x, y), b.op("Sub", x, y)
    rest = b.op("Log1p", b.op("Exp", b.op("Neg", b.op("Abs", difference))))
    is_nan = b.op("NotEqual", difference, difference)
    return b.select(is_nan, b.op("Add", x, y), b.op("Add", larger, rest))


doubling("cummax", lambda b, x, y: b.op("Maximum", x, y))
doubling("cummin", lambda b, x, y: b.op("Minimum", x, y))
doubling("cumlogsumexp", _log_add_exp)
