"""What the peepholes look with: who made a value, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.ir import Equation, Program, Value, constant

# None: no match; a value: the result is that value; else primitive, inputs and parameters of the
# one equation that makes the result
Found: TypeAlias = "Value | tuple[str, list[Value], dict[str, Any]] | None"
Peephole: TypeAlias = "Callable[[Matcher, Equation], Found]"

PEEPHOLES: dict[str, list[Peephole]] = {}


def peephole(*primitives: str) -> Callable[[Peephole], Peephole]:
    """Registers a function for the primitive that its group of equations ends with."""
    def register(function: Peephole) -> Peephole:
        for primitive in primitives:
            PEEPHOLES.setdefault(primitive, []).append(function)
        return function
    return register


class Matcher:
    """A program seen from its values backwards."""

    def __init__(self, program: Program) -> None:
        self._producers = program.producers()

    def made_by(self, value: Value, *primitives: str) -> Equation | None:
        """The equation that makes the value, if it is one of these primitives."""
        equation = self._producers.get(value)
        return equation if equation is not None and equation.primitive in primitives else None

    def number(self, value: Value) -> float | None:
        """The one number that a constant holds in every element."""
        if value.constant is None or value.name or value.constant.size != 1:
            return None
        if value.constant.dtype.kind not in "fiuV":
            return None
        return float(np.asarray(value.constant, np.float64).reshape(()))

    def is_number(self, value: Value, number: float) -> bool:
        """Whether the value is that number everywhere."""
        return self.number(value) == number

    def split_number(self, equation: Equation) -> tuple[Value, float] | None:
        """The operand and the number of a commutative equation that has one of each."""
        left, right = equation.inputs
        for value, other in ((left, right), (right, left)):
            number = self.number(other)
            if number is not None and self.number(value) is None:
                return value, number
        return None

    def kept_dims(self, value: Value, axes: tuple[int, ...]) -> Value | None:
        """What was reduced over `axes` before the axes were put back with size 1."""
        equation = self.made_by(value, "broadcast_in_dim", "reshape")
        if equation is None:
            return None
        inner = equation.inputs[0]
        kept = tuple(size for axis, size in enumerate(value.shape) if axis not in axes)
        ones = all(value.shape[axis] == 1 for axis in axes)
        return inner if ones and [str(n) for n in inner.shape] == [str(n) for n in kept] else None

    def on_last_axis(self, value: Value, beside: Value | None = None) -> Value | None:
        """The vector behind a value of shape [1, …, 1, c], or repeated to the shape of `beside`."""
        if value.constant is not None and not value.name:
            return _known_vector(value)
        equation = self.made_by(value, "broadcast_in_dim", "reshape")
        if equation is None or equation.inputs[0].rank == 0:
            return None
        vector = equation.inputs[0]
        others = beside.shape if beside is not None else value.rank * (1,)
        ones = all(dims.same(size, 1) or dims.same(size, other)
                   for size, other in zip(value.shape[:-1], others[:-1], strict=True))
        axes = equation.params.get("broadcast_dimensions", (value.rank - 1,))
        if not ones or axes[-1] != value.rank - 1 or value.shape[-1] != vector.shape[-1]:
            return None
        return vector if vector.rank == 1 else self.on_last_axis(vector)


def _known_vector(value: Value) -> Value | None:
    """What a constant repeats along all dimensions but the last one."""
    array = value.constant
    if array is None or not value.rank or array.shape[-1:] != value.shape[-1:] or (
            array.size != array.shape[-1]):
        return None
    return constant(array.reshape(-1))
