"""What is known of integers before a graph runs: between which two numbers each of them lies.

Indices that are surely inside an array need no check, and unsigned integers that int32 holds are
computed in int32, which more readers know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.ir import DType, Equation, Program, Value


class Range(NamedTuple):
    """From `low` to `high`, both included; infinite where nothing is known."""

    low: float
    high: float

    def within(self, other: Range) -> bool:
        """Whether all of it lies in another range."""
        return other.low <= self.low and self.high <= other.high


_SMALL = 1 << 16    # elements of a constant that are looked at
_INT32 = Range(0, np.iinfo(np.int32).max)
_MOVES = ("broadcast_in_dim", "reshape", "squeeze", "transpose", "slice", "rev", "copy_value",
          "dynamic_slice", "reduce_max", "reduce_min", "tile", "split", "unstack", "expand_dims",
          "cummax", "cummin")
_CHOICES = ("concatenate", "stack", "dynamic_update_slice")
# what gives the same numbers in int32 as in uint32 when all of them are in the range of both
_NARROWED = {"convert_element_type", "add", "sub", "mul", "div", "rem", "max", "min", "clamp",
             "select_n", "lt", "le", "gt", "ge", "eq", "ne", "concatenate", "stack", "iota",
             "sort", "reduce_sum", *_MOVES}


def _bounds(dtype: DType) -> Range:
    if dtype.kind == "b":
        return Range(0, 1)
    if dtype.kind in "iu":
        return Range(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    return Range(-math.inf, math.inf)


def _union(ranges: Iterable[Range]) -> Range:
    lows, highs = zip(*ranges, strict=True)
    return Range(min(lows), max(highs))


def _corners(function: Callable[[float, float], float], x: Range, y: Range) -> Range:
    found = [function(a, b) for a in x for b in y]
    return Range(min(found), max(found))


def _divided(x: Range, y: Range) -> Range:
    if y.low <= 0 or math.inf in (abs(x.low), abs(x.high)):
        return Range(-math.inf, math.inf)
    found = [abs(a) // b * (1 if a >= 0 else -1) for a in x for b in y]
    return Range(min(found), max(found))


def _rest(x: Range, y: Range) -> Range:
    if y.low <= 0 or x.low < 0:
        return Range(-math.inf, math.inf)
    return Range(0, min(x.high, y.high - 1))


def _masked(x: Range, y: Range) -> Range:
    known = [each.high for each in (x, y) if each.low >= 0]
    return Range(0, min(known)) if known else Range(-math.inf, math.inf)


_ARITHMETIC: dict[str, Callable[..., Range]] = {
    "add": lambda x, y: Range(x.low + y.low, x.high + y.high),
    "sub": lambda x, y: Range(x.low - y.high, x.high - y.low),
    "mul": lambda x, y: _corners(lambda a, b: a * b, x, y),
    "max": lambda x, y: Range(max(x.low, y.low), max(x.high, y.high)),
    "min": lambda x, y: Range(min(x.low, y.low), min(x.high, y.high)),
    "clamp": lambda low, x, high: Range(
        min(max(x.low, low.low), high.low), min(max(x.high, low.high), high.high)),
    "div": _divided, "rem": _rest, "and": _masked,
}


class Ranges:
    """The ranges of a program's values, each found when it is asked for."""

    def __init__(self, program: Program) -> None:
        self._found: dict[Value, Range] = {}
        for equation in program.equations:
            for at, value in enumerate(equation.outputs):
                if isinstance(value.dtype, np.dtype) and value.dtype.kind in "iub":
                    self._found[value] = self._of_output(equation, at)

    def of(self, value: Value) -> Range:
        """Between which numbers every element lies."""
        constant = value.constant
        if constant is not None and not value.name and 0 < constant.size <= _SMALL and (
                constant.dtype.kind in "iub"):
            return Range(int(constant.min()), int(constant.max()))
        return self._found.get(value) or _bounds(value.dtype)

    def _of_output(self, equation: Equation, at: int) -> Range:
        bounds = _bounds(equation.outputs[at].dtype)
        found = self._computed(equation, at)
        return found if found is not None and found.within(bounds) else bounds

    def _computed(self, equation: Equation, at: int) -> Range | None:
        primitive, inputs = equation.primitive, equation.inputs
        if primitive in _MOVES or primitive == "convert_element_type":
            whole = inputs[0].dtype.kind in "iub"
            return self.of(inputs[0]) if whole else None
        if primitive in _CHOICES:
            return _union(map(self.of, inputs))
        if primitive == "select_n":
            return _union(map(self.of, inputs[1:]))
        if primitive == "sort":
            return self.of(inputs[at])
        if primitive == "reduce_sum":
            sizes = [inputs[0].shape[axis] for axis in equation.params["axes"]]
            count = math.prod(sizes) if dims.is_known(sizes) else math.inf
            return _corners(lambda a, b: a * b if a else 0, self.of(inputs[0]), Range(0, count))
        if primitive in _ARITHMETIC:
            return _ARITHMETIC[primitive](*map(self.of, inputs))
        return _of_places(equation, at)


def _of_places(equation: Equation, at: int) -> Range | None:
    """Of what counts along a dimension."""
    params, shape = equation.params, equation.inputs[0].shape if equation.inputs else ()
    size: Any = None
    match equation.primitive:
        case "iota":
            size = params["shape"][params["dimension"]]
        case "argmax" | "argmin":
            size = shape[params["axes"][0]]
        case "top_k" if at == 1:
            size = shape[params.get("axis", -1)]
    if size is None:
        return None
    return Range(0, max(size - 1, 0) if isinstance(size, int) else math.inf)


_COMPARED: dict[str, Callable[[Range, Range], bool | None]] = {
    "lt": lambda x, y: True if x.high < y.low else False if x.low >= y.high else None,
    "le": lambda x, y: True if x.high <= y.low else False if x.low > y.high else None,
    "gt": lambda x, y: True if x.low > y.high else False if x.high <= y.low else None,
    "ge": lambda x, y: True if x.low >= y.high else False if x.high < y.low else None,
    "eq": lambda x, y: False if x.high < y.low or x.low > y.high else None,
    "ne": lambda x, y: True if x.high < y.low or x.low > y.high else None,
}


def run(program: Program) -> None:
    """Decide comparisons, mark gathers that stay inside, and narrow unsigned integers."""
    ranges = Ranges(program)
    for equation in program.equations:
        if equation.primitive in _COMPARED and equation.inputs[0].dtype.kind in "iu":
            known = _COMPARED[equation.primitive](*map(ranges.of, equation.inputs))
            if known is not None:
                equation.output.constant = np.asarray(known)    # lazy: the same everywhere
        elif equation.primitive == "gather" and _stays_inside(equation, ranges):
            equation.params = {**equation.params, "inside": True}
    program.equations = [equation for equation in program.equations
                         if not equation.outputs or equation.output.constant is None]
    _narrow(program, ranges)


def _stays_inside(equation: Equation, ranges: Ranges) -> bool:
    operand, indices = equation.inputs
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    found = ranges.of(indices)
    limits = [operand.shape[axis] - sizes[axis] for axis in numbers.start_index_map]
    return all(isinstance(limit, int) and found.within(Range(0, limit)) for limit in limits)


def _narrow(program: Program, ranges: Ranges) -> None:
    """uint32 becomes int32 where all that it meets can become that too."""
    outside = {*program.inputs, *program.outputs}
    parts = {value for equation in program.equations
             for value in (*equation.inputs, *equation.outputs) if value.dtype == np.uint32}
    narrow = {value for value in parts if value not in outside and not value.name
              and ranges.of(value).within(_INT32)}
    while narrow:
        lost = {value for equation in program.equations
                for value in narrow.intersection((*equation.inputs, *equation.outputs))
                if not _can_narrow(equation, narrow)}
        if not lost:
            break
        narrow -= lost
    for value in narrow:
        value.dtype = np.dtype(np.int32)
        if value.constant is not None:
            value.constant = value.constant.astype(np.int32)


def _can_narrow(equation: Equation, narrow: set[Value]) -> bool:
    return equation.primitive in _NARROWED and all(
        value in narrow for value in (*equation.inputs, *equation.outputs)
        if value.dtype == np.uint32)
