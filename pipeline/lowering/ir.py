"""The flat form between a jaxpr and a graph: equations over values, only control flow nested.

    Program: inputs → equations in order → outputs
    Equation: outputs = primitive[params](inputs)

Values are compared by identity. A value with `constant` set is known at conversion time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Dim = Any              # int, or JAX's symbolic dimension expression
Shape = tuple[Dim, ...]
Array = NDArray[Any]
DType = np.dtype[Any]


@dataclass(eq=False, slots=True)
class Value:
    """One array: what it looks like, and what it holds if that is known already."""

    shape: Shape
    dtype: DType
    constant: Array | None = None
    name: str = ""     # inputs and variables have the names they get in the graph

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)


@dataclass(eq=False, slots=True)
class Equation:
    """One application of a primitive; `scope` is the slash-separated path its nodes get."""

    primitive: str
    inputs: list[Value]
    outputs: list[Value]
    params: dict[str, Any]
    scope: str = ""
    source: Callable[[], str] = field(default=str)

    @property
    def output(self) -> Value:
        """The first output."""
        return self.outputs[0]


@dataclass(eq=False, slots=True)
class Program:
    """Equations in an order in which every value is known before it is used."""

    inputs: list[Value]
    outputs: list[Value]
    equations: list[Equation]

    def producers(self) -> dict[Value, Equation]:
        """The equation that makes each value."""
        return {value: equation for equation in self.equations for value in equation.outputs}

    def uses(self) -> dict[Value, int]:
        """How often each value is read; being an output counts."""
        counts: dict[Value, int] = {}
        for value in self._read():
            counts[value] = counts.get(value, 0) + 1
        return counts

    def _read(self) -> Iterator[Value]:
        for equation in self.equations:
            yield from equation.inputs
        yield from self.outputs

    def prune(self) -> None:
        """Drop the equations that no output needs."""
        needed = set(self.outputs)
        kept = []
        for equation in reversed(self.equations):
            if needed.isdisjoint(equation.outputs):
                continue
            needed.update(equation.inputs)
            kept.append(equation)
        self.equations = kept[::-1]


def constant(value: Any, dtype: DType | None = None) -> Value:
    """A value that is known."""
    array = np.asarray(value, dtype)
    return Value(array.shape, array.dtype, array)


def substitute(program: Program, replaced: dict[Value, Value]) -> None:
    """Read another value wherever one of the `replaced` was read."""
    def follow(values: Iterable[Value]) -> list[Value]:
        return [replaced.get(value, value) for value in values]

    for equation in program.equations:
        equation.inputs = follow(equation.inputs)
    program.outputs = follow(program.outputs)
