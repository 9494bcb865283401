"""Order: TopKV2, the one op that sorts, on keys that are numbers in JAX's order.

JAX orders -0 and 0 as equal and NaN behind everything. TopKV2 gives the largest first and, of equal
ones, the first first; so ascending order is that of the inverted keys.
"""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Dim, Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.bits import bitcast
from pipeline.lowering.rules.gather import take
from pipeline.lowering.rules.index_vectors import counting
from pipeline.lowering.rules.shape import transpose
from pipeline.lowering.tensor import Operand, Tensor


@rule("sort")
def _sort(b: Builder, e: Equation) -> list[Operand]:
    """Sorted by the last key first, stably, so that the first key has the last word."""
    axis, keys = e.params["dimension"], e.params["num_keys"]
    rank = e.output.rank
    order = [*(at for at in range(rank) if at != axis), axis]
    back = [int(at) for at in np.argsort(order)]
    operands = [transpose(b, operand, order) for operand in b.full_operands(e)]
    for key in reversed(range(keys)):
        places = _ascending(b, operands[key])
        operands = [take_along_last(b, operand, places) for operand in operands]
    return [transpose(b, operand, back) for operand in operands]


def _ascending(b: Builder, x: Operand) -> Tensor:
    """For each place of the sorted last axis, where its element is now (int32)."""
    keys = b.op("Invert", _sortable(b, x))
    size = b.size(x.shape[-1])
    return b.ops("TopKV2", keys, size, shapes=[x.shape, x.shape])[1]


def _sortable(b: Builder, x: Operand) -> Operand:
    """Signed integers in the order of `x`."""
    kind, size = x.dtype.kind, x.dtype.itemsize
    if kind == "c":
        raise Unsupported("complex numbers")
    if kind == "b" or (kind in "iu" and size < 4):
        return b.cast(x, np.dtype(np.int32))
    if kind == "i":
        return x
    if kind == "u" and size == 4:
        return b.cast(x, np.dtype(np.int64))
    if kind == "u":
        lowest = np.asarray(np.iinfo(np.int64).min)
        return b.op("BitwiseXor", bitcast(b, x, np.dtype(np.int64)), lowest)
    return _sortable_float(b, x if size >= 4 else b.cast(x, np.dtype(np.float32)))


def _sortable_float(b: Builder, x: Operand) -> Operand:
    """The bits of a float count up with it if it is positive, and down if it is negative."""
    zero = np.zeros((), x.dtype)
    x = b.select(b.op("Equal", x, zero), zero, x)
    x = b.select(b.op("NotEqual", x, x), np.asarray(np.nan, x.dtype), x)
    integer = np.dtype(f"i{x.dtype.itemsize}")
    bits = bitcast(b, x, integer)
    magnitude = np.asarray(np.iinfo(integer).max, integer)
    negative = b.op("Less", bits, np.zeros((), integer))
    return b.select(negative, b.op("BitwiseXor", bits, magnitude), bits)


def take_along_last(b: Builder, x: Operand, places: Operand) -> Operand:
    """`x` read along its last axis at `places`, which has the same leading dimensions."""
    *leading, size = x.shape
    if not leading:
        return take(b, x, places, 0, places.shape)
    rows: Dim = 1
    for each in leading:
        rows = rows * each
    wide = places.shape[-1]
    first = b.op("Mul", counting(b, (rows, 1), 0, places.dtype), b.size(size))
    flat = b.op("Add", b.reshape(places, (rows, wide)), first, shape=(rows, wide))
    taken = take(b, b.reshape(x, (rows * size,)), flat, 0, (rows, wide))
    return b.reshape(taken, tuple(places.shape))


@rule("top_k")
def _top_k(b: Builder, e: Equation) -> list[Operand]:
    return _largest(b, e, e.params["k"], e.params["axis"])


@rule("approx_top_k")
def _approx_top_k(b: Builder, e: Equation) -> list[Operand]:
    """Exactly, where JAX only promises a recall."""
    axis = e.params["reduction_dimension"] % e.inputs[0].rank
    return _largest(b, e, e.params["k"], axis, negate=not e.params["is_max_k"])


def _largest(
    b: Builder, e: Equation, count: int, axis: int, *, negate: bool = False
) -> list[Operand]:
    x, rank = b.full(e.inputs[0]), e.inputs[0].rank
    order = [*(at for at in range(rank) if at != axis), axis]
    x = transpose(b, x, order)
    if negate:
        x = b.op("Neg", x)
    shape = (*x.shape[:-1], e.output.shape[axis])
    values, places = b.ops("TopKV2", x, b.size(e.output.shape[axis]), shapes=[shape, shape])
    found: Operand = b.op("Neg", values) if negate else values
    back = [int(at) for at in np.argsort(order)]
    return [transpose(b, found, back),
            transpose(b, b.cast(places, e.outputs[1].dtype), back)]
