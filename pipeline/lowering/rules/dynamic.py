"""Slices whose place is known only at run time; a place beyond the bounds is moved inside."""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.index_vectors import INDEX, clamp
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
def _dynamic_update_slice(b: Builder, e: Equation) -> Tensor:
    """The update with zeros around it, chosen where ones with zeros around them say so."""
    operand, update, *starts = b.full_operands(e)
    limits = tuple(have - want for have, want in
                   zip(operand.shape, update.shape, strict=True))
    places = _places(b, starts, limits)
    before = b.stack(places, 0)
    after = b.op("Sub", b.sizes(limits), before) if limits else before
    amounts = b.op("Pack", before, after, axis=1, shape=(len(limits), 2))
    ones = b.expand(np.asarray(True), update.shape)
    mask = b.op("Pad", ones, amounts, shape=operand.shape)
    moved = b.op("Pad", update, amounts, shape=operand.shape)
    return b.select(mask, moved, operand)
