"""Order: TopKV2, the one op that sorts, on keys that are the larger the earlier they come.

JAX orders -0 and 0 as equal and NaN behind everything. TopKV2 gives the largest first and, of equal
ones, the first first. Keys are made by arithmetic that every reader has, not from bits.
"""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.bits import bitcast
from pipeline.lowering.rules.gather import take_along_last
from pipeline.lowering.rules.shape import transpose
from pipeline.lowering.tensor import Operand, Tensor


@rule("sort")
def _sort(b: Builder, e: Equation) -> list[Operand]:
    """Sorted by the last key first, stably, so that the first key has the last word."""
    axis, keys = e.params["dimension"], e.params["num_keys"]
    rank = e.output.rank
    order = [*(at for at in range(rank) if at != axis), axis]
    back = [int(at) for at in np.argsort(order)]
    counts = [keys == 1 and _counts(b.operand(value), rank - axis) for value in e.inputs]
    operands = [b.operand(value) if counted else transpose(b, b.full(value), order)
                for value, counted in zip(e.inputs, counts, strict=True)]
    for key in reversed(range(keys)):
        for part in _parts(b, operands[key]):
            places = _ascending(b, part)
            operands = [b.cast(places, operand.dtype) if counted else
                        take_along_last(b, operand, places)
                        for operand, counted in zip(operands, counts, strict=True)]
    return [transpose(b, operand, back) for operand in operands]


def _counts(operand: Operand, from_the_end: int) -> bool:
    """Whether it is 0, 1, 2, … along an axis, so that what is sorted are the places."""
    if not isinstance(operand, np.ndarray) or operand.ndim < from_the_end:
        return False
    axis = operand.ndim - from_the_end
    if operand.dtype.kind not in "iu":
        return False
    wanted = np.arange(operand.shape[axis]).reshape(
        [-1 if at == axis else 1 for at in range(operand.ndim)])
    return bool((operand == wanted).all())


def _parts(b: Builder, x: Operand) -> list[Operand]:
    """What is compared, the last first: of complex numbers the real part, then the imaginary."""
    if x.dtype.kind != "c":
        return [x]
    part = np.empty(0, x.dtype).real.dtype
    return [b.op("Imag", x, Tout=part), b.op("Real", x, Tout=part)]


def _ascending(b: Builder, x: Operand) -> Tensor:
    """For each place of the sorted last axis, where its element is now (int32)."""
    size = b.size(x.shape[-1])
    return b.ops("TopKV2", _keys(b, x), size, shapes=[x.shape, x.shape])[1]


def _keys(b: Builder, x: Operand) -> Operand:
    """Numbers that are the larger the smaller `x` is."""
    kind, size = x.dtype.kind, x.dtype.itemsize
    if kind == "b" or (kind in "iu" and size < 4):
        return b.op("Neg", b.cast(x, np.dtype(np.int32)))
    if kind == "i":
        return b.op("Sub", np.asarray(-1, x.dtype), x)    # the least integer has no negative
    if kind == "u":    # no signed integer holds them: the order of their bits
        signed = np.dtype(f"i{size}")
        return b.op("BitwiseXor", bitcast(b, x, signed), np.asarray(np.iinfo(signed).max, signed))
    return _keys_of_floats(b, x if size >= 4 else b.cast(x, np.dtype(np.float32)))


def _keys_of_floats(b: Builder, x: Operand) -> Tensor:
    """NaN comes last: it is minus infinity; infinity counts as the largest finite number."""
    highest = np.asarray(np.finfo(x.dtype).max, x.dtype)
    negated = b.op("Neg", b.op("Minimum", x, highest))
    return b.select(b.op("Equal", x, x), negated, np.asarray(-np.inf, x.dtype))


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
    if x.dtype.kind == "b":
        x = b.cast(x, np.dtype(np.int32))
    order = [*(at for at in range(rank) if at != axis), axis]
    x = transpose(b, x, order)
    if negate:
        x = b.op("Neg", x)
    shape = (*x.shape[:-1], e.output.shape[axis])
    values, places = b.ops("TopKV2", x, b.size(e.output.shape[axis]), shapes=[shape, shape])
    found: Operand = b.op("Neg", values) if negate else values
    back = [int(at) for at in np.argsort(order)]
    return [transpose(b, b.cast(found, e.output.dtype), back),
            transpose(b, b.cast(places, e.outputs[1].dtype), back)]
