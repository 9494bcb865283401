"""Reductions by a function of the user's: applied to one slice after another."""

from __future__ import annotations

import itertools
import math

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.expand import inline
from pipeline.lowering.ir import Equation, Program, Value
from pipeline.lowering.registry import lower_equations, rule
from pipeline.lowering.rules.pool import Windows
from pipeline.lowering.tensor import Operand

_MOST_STEPS = 256


def _combined(
    b: Builder, program: Program, left: list[Operand], right: list[Operand]
) -> list[Operand]:
    """The function of two scalars, on whole arrays: its equations work element by element."""
    inputs = [Value((), operand.dtype) for operand in (*left, *right)]
    for value, operand in zip(inputs, (*left, *right), strict=True):
        b.bind(value, operand)
    equations, outputs = inline(program, inputs, "")
    lower_equations(b, Program(inputs, outputs, equations))
    return [b.operand(value) for value in outputs]


@rule("reduce")
def _reduce(b: Builder, e: Equation) -> list[Operand]:
    axes = sorted(int(axis) for axis in e.params["dimensions"])
    count = len(e.inputs) // 2
    operands, found = ([b.full(value) for value in part]
                       for part in (e.inputs[:count], e.inputs[count:]))
    for axis in reversed(axes):
        size = operands[0].shape[axis]
        if not dims.is_known([size]) or size > _MOST_STEPS:
            raise Unsupported(f"a function of its own along a dimension of size {size}")
        shape = tuple(n for at, n in enumerate(operands[0].shape) if at != axis)
        steps = zip(*(b.ops("Unpack", operand, shapes=[shape] * size, num=size, axis=axis)
                      for operand in operands), strict=True)
        state = [b.expand(start, shape) for start in found]
        for step in steps:
            state = _combined(b, e.params["jaxpr"], state, list(step))
        operands = state
    return operands


@rule("reduce_window")
def _reduce_window(b: Builder, e: Equation) -> list[Operand]:
    if len(e.inputs) != 2:
        raise Unsupported("several operands")
    start = b.operand(e.inputs[1])
    windows = Windows(b, e, start)
    places = math.prod(windows.size)
    if places > _MOST_STEPS:
        raise Unsupported(f"a function of its own over a window of {places} elements")
    state: list[Operand] = [b.expand(start, e.output.shape)]
    for place in itertools.product(*(range(size) for size in windows.size)):
        state = _combined(b, e.params["jaxpr"], state, [windows.slice(b, place)])
    return state
