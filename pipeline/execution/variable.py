"""A variable of an imported graph: its node, and its value in the graph's values by name."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.execution.compiled import Variables
from pipeline.execution.errors import ExecutionError
from pipeline.graph.tensors import Shape

VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp")
_UNINITIALIZED = "Attempting to use uninitialized value {}"


class Holder(Protocol):
    """What a variable asks of the graph that it belongs to."""

    values: Variables


class Uninitialized:
    """Stands for the value of a variable that has none yet; a Saver may look at its form."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.name, self.shape, self.dtype = name, shape, dtype

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise ExecutionError(_UNINITIALIZED.format(self.name))


class Variable:
    """A variable of a graph: its values live in the graph and change by restoring and running."""

    def __init__(self, owner: Holder, node: Message) -> None:
        self.graph, self.node_def = owner, node

    @property
    def op_name(self) -> str:
        """`layer1/weights`."""
        return str(self.node_def.name)

    @property
    def name(self) -> str:
        """`layer1/weights:0`."""
        return f"{self.op_name}:0"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its values."""
        return dtypes.to_numpy(graph.read_attrs(self.node_def)["dtype"])

    @property
    def shape(self) -> Shape | None:
        """The shape that the node declares."""
        declared: Shape | None = graph.read_attrs(self.node_def).get("shape")
        return declared

    def get_value(self) -> Any:
        """The current value in the declared dtype, or an `Uninitialized` of the declared form."""
        if self.op_name in self.graph.values:
            value = self.graph.values[self.op_name]
            return value if value.dtype == self.dtype else np.asarray(value, self.dtype)
        shape = self.shape
        if shape is None or None in shape:
            raise ExecutionError(f"variable {self.op_name} has no value, and its graph declares "
                                 f"the shape {shape} for it")
        return Uninitialized(self.op_name, tuple(n for n in shape if n is not None), self.dtype)

    def set_value(self, value: Any) -> None:
        """Replaces the value.

        Raises:
            ExecutionError: another shape than the graph declares.
        """
        shape = self.shape
        found = np.shape(value)
        if shape is not None and (len(shape) != len(found) or any(
                want not in (None, size) for want, size in zip(shape, found, strict=True))):
            raise ExecutionError(f"{self.op_name}: value has shape {found}, graph has {shape}")
        self.graph.values[self.op_name] = value

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} shape={self.shape} dtype={self.dtype}>"
