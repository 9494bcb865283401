"""Reductions over whole dimensions."""

from __future__ import annotations

import functools

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.tensor import Operand, Tensor

_MOST_STEPS = 256

def reduction(primitive: str, op: str, *, on_bool: str = "") -> None:
    """`primitive` over `axes` is the op."""
    def lower(b: Builder, e: Equation) -> Tensor:
        chosen = on_bool if on_bool and e.inputs[0].dtype.kind == "b" else op
        axes = np.asarray(e.params["axes"], np.int32)
        return b.op(chosen, b.full(e.inputs[0]), axes, shape=e.output.shape,
                    keep_dims=e.params.get("keep_dims", False))
    rule(primitive)(lower)


reduction("reduce_sum", "Sum")
reduction("reduce_prod", "Prod")
reduction("reduce_max", "Max", on_bool="Any")
reduction("reduce_min", "Min", on_bool="All")


def logical(primitive: str, op: str, bitwise: str) -> None:
    """A reduction of booleans; of integers' bits, one element after another."""
    def lower(b: Builder, e: Equation) -> Operand:
        if e.output.dtype.kind != "b":
            return _bit_by_bit(b, e, bitwise)
        axes = np.asarray(e.params["axes"], np.int32)
        return b.op(op, b.full(e.inputs[0]), axes, shape=e.output.shape)
    rule(primitive)(lower)


def _bit_by_bit(b: Builder, e: Equation, op: str) -> Operand:
    x = b.full(e.inputs[0])
    for axis in sorted((int(axis) for axis in e.params["axes"]), reverse=True):
        size = x.shape[axis]
        if not isinstance(size, int) or not 0 < size <= _MOST_STEPS:
            raise Unsupported(f"integers along a dimension of size {size}")
        shape = tuple(n for at, n in enumerate(x.shape) if at != axis)
        parts = b.ops("Unpack", x, shapes=[shape] * size, num=size, axis=axis)
        x = functools.reduce(lambda done, part: b.op(op, done, part), parts)
    return x


logical("reduce_and", "All", "BitwiseAnd")
logical("reduce_or", "Any", "BitwiseOr")


@rule("nn.mean")
def _mean(b: Builder, e: Equation) -> Tensor:
    axes = np.asarray(e.params["axes"], np.int32)
    return b.op("Mean", b.full(e.inputs[0]), axes, shape=e.output.shape,
                keep_dims=e.params.get("keep_dims", False))


def extreme(primitive: str, op: str) -> None:
    """The index of an extreme value, the first of equal ones."""
    def lower(b: Builder, e: Equation) -> Operand:
        axis, = e.params["axes"]
        index = b.op(op, b.full(e.inputs[0]), np.asarray(axis, np.int32), shape=e.output.shape)
        return b.cast(index, e.output.dtype)    # int64 is what TensorFlow 1.0 gives
    rule(primitive)(lower)


extreme("argmax", "ArgMax")
extreme("argmin", "ArgMin")


@rule("reduce_xor")
def _reduce_xor(b: Builder, e: Equation) -> Operand:
    """Of booleans, whether the number of those that hold is odd."""
    if e.output.dtype.kind != "b":
        return _bit_by_bit(b, e, "BitwiseXor")
    counted = b.cast(b.full(e.inputs[0]), np.dtype(np.int32))
    axes = np.asarray(e.params["axes"], np.int32)
    total = b.op("Sum", counted, axes, shape=e.output.shape)
    return b.op("Equal", b.op("FloorMod", total, np.asarray(2, np.int32)),
                np.asarray(1, np.int32))
