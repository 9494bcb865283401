"""What a case is: one use of one primitive or layer, with inputs for any batch size."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import ml_dtypes
import numpy as np

Arrays = dict[str, Any]
BATCH = "b"    # in a shape: the size that is not known when the graph is made

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-3, 88.0, -88.0,
           float("inf"), float("-inf"), float("nan"))


@dataclass(frozen=True)
class Arg:
    """One input: `shape` may begin with BATCH, values lie evenly between `low` and `high`.

    `values`, when given, are dealt out in order instead.
    """

    shape: tuple[int | str, ...]
    dtype: str = "float32"
    low: float = -3.0
    high: float = 3.0
    values: tuple[Any, ...] | None = None

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(getattr(ml_dtypes, self.dtype, self.dtype))

    def draw(self, random: np.random.Generator, batch: int) -> Any:
        """An array of this kind."""
        shape = [batch if size == BATCH else int(size) for size in self.shape]
        if self.values is not None:
            return np.resize(np.asarray(self.values, self.numpy), shape)
        if self.numpy.kind == "b":
            return random.integers(0, 2, shape).astype(bool)
        if self.numpy.kind in "iu":
            low = max(self.low, 0) if self.numpy.kind == "u" else self.low
            return random.integers(int(low), int(self.high) + 1, shape).astype(self.numpy)
        drawn = random.uniform(self.low, self.high, shape)
        if self.numpy.kind == "c":
            drawn = drawn + 1j * random.uniform(self.low, self.high, shape)
        return drawn.astype(self.numpy)


@dataclass(frozen=True, eq=False)
class Case:
    """`fun(*inputs)`, or `fun(variables, *inputs)` where there are variables.

    Attributes:
        primitive: what it is for: a JAX primitive, or a layer's name.
        name: tells the cases of one primitive apart.
        args: the inputs, named x0, x1, … in the graph.
        variables: arrays by name; they become constants of the graph.
        batches: sizes to run at.
        tolerance: the largest error relative to the largest magnitude.
        limitation: why this is known not to work; the test fails when it does.
        x64: whether 64-bit types are on.
    """

    primitive: str
    name: str
    fun: Callable[..., Any]
    args: tuple[Arg, ...]
    variables: Mapping[str, Any] = field(default_factory=dict)
    batches: tuple[int, ...] = (3, 1, 0)
    tolerance: float = 1e-5
    limitation: str | None = None
    x64: bool = False

    @property
    def id(self) -> str:
        return f"{self.primitive}-{self.name}"

    @property
    def is_batched(self) -> bool:
        return any(BATCH in arg.shape for arg in self.args)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The batch sizes to run at; a function of fixed shapes has one."""
        return self.batches if self.is_batched else (1,)

    def function(self, variables: Arrays, *inputs: Any) -> Any:
        """The function in `freeze`'s form."""
        return self.fun(variables, *inputs) if self.variables else self.fun(*inputs)

    def inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        """Shapes and dtypes with None for the batch."""
        return {f"x{at}": jax.ShapeDtypeStruct(
            tuple(None if size == BATCH and axis == 0 else
                  "batch" if size == BATCH else size for axis, size in enumerate(arg.shape)),
            arg.numpy) for at, arg in enumerate(self.args)}

    def feeds(self, batch: int) -> Arrays:
        """Arrays for the inputs, the same in every run."""
        random = np.random.default_rng(zlib.crc32(self.id.encode()))
        return {f"x{at}": arg.draw(random, batch) for at, arg in enumerate(self.args)}
