"""Tensors, operations and variables of a graph as a user names and holds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.execution.errors import ElementNotFound, ElementTypeError, ExecutionError
from pipeline.graph import GraphError, Ref
from pipeline.graph.tensors import Shape

if TYPE_CHECKING:
    from pipeline.execution.imported import Graph

VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp")
_TENSOR_FORM = 'Tensor names must be of the form "<op_name>:<output_index>".'
_UNINITIALIZED = "Attempting to use uninitialized value {}"


class Operation:
    """A node of a graph."""

    def __init__(self, owner: Graph, node: Message) -> None:
        self.graph, self.node_def = owner, node

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node_def.name)

    @property
    def type(self) -> str:
        """The node's op."""
        return str(self.node_def.op)

    @property
    def device(self) -> str:
        """Where the node asks to run."""
        return str(self.node_def.device)

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that the node takes."""
        refs = [graph.parse_ref(text) for text in self.node_def.input if text[0] != "^"]
        return [Tensor(self.graph, ref) for ref in refs]

    @property
    def control_inputs(self) -> list[Operation]:
        """The operations that run before it."""
        return [self.graph.get_operation_by_name(text[1:])
                for text in self.node_def.input if text[0] == "^"]

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that the node gives; none where its op has no known definition."""
        return [Tensor(self.graph, Ref(self.name, index))
                for index in range(len(output_numbers(self.node_def) or ()))]

    def get_attr(self, name: str) -> Any:
        """An attribute in Python's own types; the op's default where the node does not say it.

        Raises:
            ElementNotFound: the op has no such attribute.
        """
        attrs = graph.read_attrs(self.node_def)
        if name not in attrs:
            raise ElementNotFound(f"Operation {self.name!r} has no attr named {name!r}.")
        return attrs[name]

    def __repr__(self) -> str:
        return f"<Operation {self.name!r} type={self.type}>"


class Tensor:
    """One output of an operation."""

    def __init__(self, owner: Graph, ref: Ref) -> None:
        self.graph, self.ref = owner, ref

    @property
    def name(self) -> str:
        """`add:0`."""
        return f"{self.ref.node}:{self.ref.output}"

    @property
    def op(self) -> Operation:
        """The operation that gives it."""
        return self.graph.get_operation_by_name(self.ref.node)

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """Its NumPy type; None for handles, and where the op has no known definition."""
        numbers = output_numbers(self.op.node_def)
        if numbers is None or self.ref.output >= len(numbers):
            return None
        try:
            return dtypes.to_numpy(numbers[self.ref.output])
        except TypeError:
            return None

    @property
    def shape(self) -> Shape | None:
        """Its shape as far as the node says it: placeholders, constants, `_output_shapes`."""
        return self.graph.shape_of(self.ref)

    def __repr__(self) -> str:
        return f"<Tensor {self.name!r} shape={self.shape} dtype={self.dtype}>"


class Uninitialized:
    """Stands for the value of a variable that has none yet; a Saver may look at its form."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.name, self.shape, self.dtype = name, shape, dtype

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise ExecutionError(_UNINITIALIZED.format(self.name))


class Variable:
    """A variable of a graph: its values live in the graph and change by restoring and running."""

    def __init__(self, owner: Graph, node: Message) -> None:
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


def output_numbers(node: Message) -> list[int] | None:
    """The DataTypes of a node's outputs; None where its op has no known definition."""
    if not graph.has_op_def(node.op):
        return None
    try:
        return graph.output_types(node.op, graph.read_attrs(node))
    except (GraphError, KeyError, TypeError):
        return None


def find_tensor(owner: Graph, name: Any) -> Tensor:
    """The tensor of a name, or TensorFlow's own error for it (framework/ops.py).

    Raises:
        ElementNotFound: there is none.
        ExecutionError: the name is no tensor's.
        ElementTypeError: the name is no text.
    """
    if not isinstance(name, str):
        raise ElementTypeError(
            f"Tensor names are strings (or similar), not {type(name).__name__}.")
    if ":" not in name:
        if name in owner:
            raise ExecutionError(
                f"The name {name!r} refers to an Operation, not a Tensor. {_TENSOR_FORM}")
        raise ExecutionError(
            f"The name {name!r} looks like an (invalid) Operation name, not a Tensor. "
            f"{_TENSOR_FORM}")
    node, _, index = name.partition(":")
    if not re.fullmatch(r"\d{1,9}", index, re.ASCII):
        raise ExecutionError(
            f"The name {name!r} looks a like a Tensor name, but is not a valid one. "
            f"{_TENSOR_FORM}")
    if node not in owner:
        raise ElementNotFound(f"The name {name!r} refers to a Tensor which does not exist. "
                              f"The operation, {node!r}, does not exist in the graph.")
    numbers = output_numbers(owner.get_operation_by_name(node).node_def)
    if numbers is not None and int(index) >= len(numbers):
        raise ElementNotFound(
            f"The name {name!r} refers to a Tensor which does not exist. The operation, "
            f"{node!r}, exists but only has {len(numbers)} outputs.")
    return Tensor(owner, Ref(node, int(index)))
