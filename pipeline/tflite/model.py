"""What a graph becomes before it is a file: values, and the builtin ops that make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int | None, ...]


@dataclass(eq=False)
class Value:
    """A tensor of the model.

    Attributes:
        name: the node's, unique in the file.
        shape: None for sizes that are not known, the batch.
        dtype: NumPy's.
        data: of a constant.
        readers: ops and outputs that take it, by the graph.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    data: NDArray[Any] | None = None
    readers: int = 0


@dataclass(eq=False)
class Op:
    """A builtin op; `options`: the name of its table without `Options`, and its fields."""

    builtin: str
    inputs: list[Value]
    outputs: list[Value]
    options: tuple[str, dict[str, Any]] | None = None
    version: int = 1


@dataclass
class Model:
    """The main subgraph; inputs and outputs by the names of the signature."""

    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)

    def prune(self) -> None:
        """Drops the ops that no output needs."""
        needed = {id(value) for value in self.outputs.values()}
        kept = []
        for op in reversed(self.ops):
            if any(id(value) in needed for value in op.outputs):
                needed |= {id(value) for value in op.inputs}
                kept.append(op)
        self.ops = kept[::-1]
