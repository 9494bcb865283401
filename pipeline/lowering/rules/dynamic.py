"""Slices whose place is known only at run time; a place beyond the bounds is moved inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Dim, Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.gather import take
from pipeline.lowering.rules.index_vectors import INDEX, clamp, counting
from pipeline.lowering.rules.shape import strided_slice
from pipeline.lowering.tensor import Operand, Tensor


def _places(b: Builder, starts: list[Operand], limits: Shape) -> list[Operand]:
    """Starts within the limits, as int32, which sizes are too."""
    return [b.cast(place, INDEX) for place in clamp(b, starts, limits)]


@rule("dynamic_slice")
def _dynamic_slice(b: Builder, e: Equation) -> Operand:
    operand, *starts = b.full_operands(e)
    sizes = e.output.shape
    limits = tuple(have - want for have, want in zip(operand.shape, sizes, strict=True))
    places = _places(b, starts, limits)
    begin = tuple(int(place) for place in places if isinstance(place, np.ndarray))
    if len(begin) == len(places):
        end = tuple(place + size for place, size in zip(begin, sizes, strict=True))
        return strided_slice(b, operand, begin, end, (1,) * len(begin), sizes)
    return b.op("Slice", operand, b.stack(places, 0), b.sizes(sizes), shape=sizes)


@rule("dynamic_update_slice")
def _dynamic_update_slice(b: Builder, e: Equation) -> Operand:
    """The update where it is to lie, the operand around it."""
    operand, update, *starts = b.full_operands(e)
    limits = tuple(have - want for have, want in
                   zip(operand.shape, update.shape, strict=True))
    places = _places(b, starts, limits)
    known = [int(place) for place in places if isinstance(place, np.ndarray)]
    if len(known) == len(places):
        return at_known_places(b, operand, update, known)
    mask: Operand | None = None
    for axis, (place, size) in enumerate(zip(places, update.shape, strict=True)):
        if dims.same(size, operand.shape[axis]):
            continue
        counted = counting(b, operand.shape, axis, INDEX)
        if dims.same(size, 1):
            here = b.op("Equal", counted, place)
        else:
            update, here = _moved(b, update, axis, b.op("Sub", counted, place))
        mask = here if mask is None else b.op("LogicalAnd", mask, here)
    return update if mask is None else b.select(mask, update, operand)


def _moved(b: Builder, update: Operand, axis: int, position: Operand) -> tuple[Operand, Tensor]:
    """The update at positions along an axis of the operand, and where it has such ones."""
    zero, size = np.zeros((), INDEX), b.size(update.shape[axis])
    last = b.op("Sub", size, np.asarray(1, INDEX), shape=()) if isinstance(size, Tensor) else \
        np.asarray(size - 1, INDEX)
    inside = b.op("LogicalAnd", b.op("GreaterEqual", position, zero), b.op("Less", position, size))
    nearest = b.op("Maximum", b.op("Minimum", position, last), zero)
    count = position.shape[axis]
    shape = tuple(count if at == axis else each for at, each in enumerate(update.shape))
    return take(b, update, b.reshape(nearest, (count,)), axis, shape), inside


def at_known_places(
    b: Builder, operand: Operand, update: Operand, places: Sequence[int], combine: str = ""
) -> Operand:
    """What lies before the update, the update, and what lies behind it, axis by axis.

    Args:
        b: makes the nodes.
        operand: what is written to.
        update: what is written; its size is the window's.
        places: where it begins, along every dimension; surely inside.
        combine: the op of what is there and what is written; without one the latter is the result.
    """
    axis = next((at for at, (have, want) in enumerate(zip(operand.shape, update.shape, strict=True))
                 if not dims.same(have, want)), None)
    if axis is None:
        return b.op(combine, operand, update, shape=operand.shape) if combine else update
    begin, end, size = places[axis], places[axis] + update.shape[axis], operand.shape[axis]
    between = _rows(b, operand, axis, begin, end)
    inner = [0 if at == axis else place for at, place in enumerate(places)]
    parts = [at_known_places(b, between, update, inner, combine)]
    if not dims.same(begin, 0):
        parts.insert(0, _rows(b, operand, axis, 0, begin))
    if not dims.same(end, size):
        parts.append(_rows(b, operand, axis, end, size))
    return b.op("ConcatV2", *parts, np.asarray(axis, np.int32), shape=operand.shape)


def _rows(b: Builder, x: Operand, axis: int, begin: Dim, end: Dim) -> Operand:
    rank = len(x.shape)
    first = tuple(begin if at == axis else 0 for at in range(rank))
    last = tuple(end if at == axis else size for at, size in enumerate(x.shape))
    shape = tuple(end - begin if at == axis else size for at, size in enumerate(x.shape))
    return strided_slice(b, x, first, last, (1,) * rank, shape)
