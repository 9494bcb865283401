"""Tensors, operations and variables of a graph as a user names and holds them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import dtypes, graph
from pipeline.execution.compiled import Variables
from pipeline.execution.errors import ElementNotFound, ElementTypeError, ExecutionError
from pipeline.execution.function import Input, describe_input
from pipeline.execution.variable import VARIABLE_OPS, Variable
from pipeline.execution.wires import wires_of
from pipeline.graph import Ref
from pipeline.graph.tensors import Shape

_TENSOR_FORM = 'Tensor names must be of the form "<op_name>:<output_index>".'


class Operation:
    """A node of a graph."""

    def __init__(self, owner: Elements, node: Message) -> None:
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
                for index in range(len(graph.output_numbers(self.node_def) or ()))]

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

    def __init__(self, owner: Elements, ref: Ref) -> None:
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
        numbers = graph.output_numbers(self.op.node_def)
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


class Elements:
    """The nodes of a graph and the values of its variables, as a user looks them up by name.

    Attributes:
        values: what the variables hold, by name without `:0`; a variable that is not in it was
            neither restored nor initialized.
    """

    def __init__(self) -> None:
        self.values: Variables = {}
        self._graph_def = GraphDef()
        self._nodes: dict[str, Message] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def get_operations(self) -> list[Operation]:
        """All operations, in the order of the GraphDef."""
        return [Operation(self, node) for node in self._nodes.values()]

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of that name.

        Raises:
            ElementNotFound: there is none.
            ExecutionError: the name is a tensor's.
            ElementTypeError: the name is no text.
        """
        if not isinstance(name, str):
            raise ElementTypeError(
                f"Operation names are strings (or similar), not {type(name).__name__}.")
        if ":" in name:
            raise ExecutionError(f"Name {name!r} appears to refer to a Tensor, not a Operation.")
        if name not in self._nodes:
            raise ElementNotFound(f"The name {name!r} refers to an Operation not in the graph.")
        return Operation(self, self._nodes[name])

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor of that name, `add:0`, or TensorFlow's own error for it (framework/ops.py).

        Raises:
            ElementNotFound: there is none.
            ExecutionError: the name is no tensor's.
            ElementTypeError: the name is no text.
        """
        if not isinstance(name, str):
            raise ElementTypeError(
                f"Tensor names are strings (or similar), not {type(name).__name__}.")
        if ":" not in name:
            if name in self:
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
        if node not in self:
            raise ElementNotFound(f"The name {name!r} refers to a Tensor which does not exist. "
                                  f"The operation, {node!r}, does not exist in the graph.")
        numbers = graph.output_numbers(self.get_operation_by_name(node).node_def)
        if numbers is not None and int(index) >= len(numbers):
            raise ElementNotFound(
                f"The name {name!r} refers to a Tensor which does not exist. The operation, "
                f"{node!r}, exists but only has {len(numbers)} outputs.")
        return Tensor(self, Ref(node, int(index)))

    def as_graph_element(self, name: Any) -> Tensor | Operation:
        """The tensor (`add:0`) or operation (`add`) of a name; elements are given back."""
        if isinstance(name, (Tensor, Operation)):
            return name
        if isinstance(name, Variable):
            return self.get_tensor_by_name(name.name)
        if isinstance(name, str) and ":" in name:
            return self.get_tensor_by_name(name)
        return self.get_operation_by_name(name)

    def shape_of(self, ref: Ref) -> Shape | None:
        """The shape of a tensor as far as its node says it; None is an unknown rank."""
        node = self._nodes[ref.node]
        if "_output_shapes" in node.attr:
            shapes = node.attr["_output_shapes"].list.shape
            return graph.decode_shape(shapes[ref.output]) if ref.output < len(shapes) else None
        if node.op == "Const":
            return graph.decode_shape(node.attr["value"].tensor.tensor_shape)
        if node.op in VARIABLE_OPS:
            declared: Shape | None = graph.read_attrs(node).get("shape")
            return declared
        return self.input_of(ref).shape

    @property
    def variables(self) -> dict[str, Variable]:
        """All variables by name without `:0`, in the order of the GraphDef."""
        return {name: Variable(self, node) for name, node in self._nodes.items()
                if node.op in VARIABLE_OPS}

    def input_of(self, ref: Ref) -> Input:
        """What a tensor takes when it is fed."""
        return describe_input(f"{ref.node}:{ref.output}", ref, wires_of([self._nodes[ref.node]]),
                              self._graph_def.versions.producer)
