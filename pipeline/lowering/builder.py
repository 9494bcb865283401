"""Makes nodes for equations: which tensor is which value.

A tensor may be *lazy*: where its value has a dimension n it may have 1, and leading dimensions may
be missing, all of them too. Ops that broadcast take it as it is; others ask for it `full`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.names import Names
from pipeline.lowering.node_writer import NodeWriter
from pipeline.lowering.operations import Operations
from pipeline.lowering.opset import Opset
from pipeline.lowering.tensor import Operand, Tensor


class Builder(Operations):
    """The nodes of one graph, growing equation by equation."""

    def __init__(
        self, opset: Opset, names: Names, *, output_shapes: bool = False,
        outer: NodeWriter | None = None,
    ) -> None:
        super().__init__(opset, names, output_shapes=output_shapes, outer=outer)
        self._tensors: dict[Value, Tensor] = {}
        self._turned: dict[Any, Tensor] = {}

    def bind(self, value: Value, tensor: Operand) -> None:
        """`value` is this tensor from now on."""
        if isinstance(tensor, np.ndarray):
            value.constant = tensor
        else:
            self._tensors[value] = tensor

    def bind_nothing(self, value: Value) -> None:
        """`value` has no lowering; what reads it is lowered all the same, to find other gaps."""
        self._tensors[value] = Tensor("", value.shape, value.dtype)

    def placeholder(self, value: Value) -> None:
        """An input of the graph; the names of its dimensions are known from here on."""
        shape = [size if isinstance(size, int) else None for size in value.shape]
        tensor = self._add("Placeholder", value.name, (), [value.shape],
                           {"dtype": value.dtype, "shape": shape})[0]
        self._tensors[value] = tensor
        for axis, size in enumerate(value.shape):
            if not isinstance(size, int):
                self.name_dimension(str(size), tensor, axis)

    def operand(self, value: Value) -> Operand:
        """The tensor of a value, perhaps lazy; a constant as an array, made a node where used."""
        if value in self._tensors:
            return self._tensors[value]
        assert value.constant is not None, "a value is used before its equation"
        if value.name:
            self._tensors[value] = self._const_node(value.constant, value.name)
            return self._tensors[value]
        return value.constant

    def operands(self, equation: Equation) -> list[Operand]:
        """The tensors of all inputs, perhaps lazy."""
        return [self.operand(value) for value in equation.inputs]

    def full(self, value: Value) -> Operand:
        """The tensor of a value in its whole shape."""
        return self.expand(self.operand(value), value.shape)

    def full_operands(self, equation: Equation) -> list[Operand]:
        """The tensors of all inputs in their whole shapes."""
        return [self.full(value) for value in equation.inputs]

    def result(self, value: Value) -> Tensor:
        """The tensor of an output of the graph, in its whole shape."""
        return self.tensor(self.full(value))

    def transposed_variable(self, value: Value, order: Sequence[int]) -> Tensor | None:
        """`name/transpose`: a variable as a constant, its axes reordered; None if it is no such."""
        key = (value, *order)
        if key not in self._turned:
            if value.constant is None or not value.name or value in self._tensors:
                return None
            name = self._names.unique(f"{value.name}/transpose")
            self._turned[key] = self._const_node(value.constant.transpose(order), name)
        return self._turned[key]
