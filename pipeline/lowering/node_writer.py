"""Writes nodes: their names, their attributes, and the constants that they take.

Read `sizes`, `operations` and `builder` next: each adds to what this can do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import Message

from pipeline.graph import build_node, infer_attrs, output_types, signature
from pipeline.lowering import dims
from pipeline.lowering.errors import Gap
from pipeline.lowering.ir import Array, Equation, Shape
from pipeline.lowering.names import Names, sanitise
from pipeline.lowering.opset import Opset, later_attributes
from pipeline.lowering.tensor import (
    Operand,
    Tensor,
    attr_value,
    data_type,
    numpy_type,
    shapes_attr,
    types_of,
)

SHARED_BYTES = 256    # constants up to this size are written once when their bytes are equal


class NodeWriter:
    """The nodes of one graph, each with a name of its own in the scope that was entered.

    Args:
        opset: which ops may be used.
        names: those that are taken.
        output_shapes: write `_output_shapes` on every node.
        outer: what writes the graph that this is a function of.
    """

    def __init__(
        self, opset: Opset, names: Names, *, output_shapes: bool = False,
        outer: NodeWriter | None = None,
    ) -> None:
        self.opset = opset
        # a graph and all its functions share these
        self.library: list[Message] = [] if outer is None else outer.library   # the functions
        self.gaps: list[Gap] = [] if outer is None else outer.gaps    # equations without a lowering
        self._counter: Iterator[int] = itertools.count() if outer is None else outer._counter
        self._output_shapes = output_shapes
        self.nodes: list[Message] = []
        self._names = names
        self._scope = ""
        self._constants: dict[Any, tuple[Tensor, Any]] = {}

    def count(self) -> int:
        """0, 1, 2, … over the graph and all its functions."""
        return next(self._counter)

    def enter(self, equation: Equation) -> None:
        """Nodes made from now on lie in the equation's scope."""
        self._scope = sanitise(equation.scope)

    def leave(self) -> None:
        """Nodes made from now on lie in no scope."""
        self._scope = ""

    def op(
        self, op: str, *inputs: Operand, shape: Shape | None = None, **attrs: Any
    ) -> Tensor:
        """A node with one output. Without `shape` the result has the operands' joint shape.

        Args:
            op: the op's name in TensorFlow 1; the op set may replace it by a later one.
            inputs: tensors, or arrays that become constants named after the argument they fill.
            shape: of the output.
            attrs: those that do not follow from the inputs.
        """
        if shape is None:
            shape = dims.joint_shape([each.shape for each in inputs])
        return self.ops(op, *inputs, shapes=[shape], **attrs)[0]

    def ops(self, op: str, *inputs: Operand, shapes: Sequence[Shape], **attrs: Any) -> list[Tensor]:
        """A node and its first outputs, which have these `shapes`."""
        op = self.opset.renamed.get(op, op)
        return self._add(op, self._names.unique(self._path(op)), inputs, shapes, attrs)

    def tensor(self, operand: Operand) -> Tensor:
        """The operand as a tensor: an array becomes a constant."""
        if isinstance(operand, Tensor):
            return operand
        return self._constant(operand, self._path("Const"))

    def identity(self, name: str, tensor: Tensor) -> Message:
        """An Identity of this very name behind a tensor; not yet among the nodes."""
        self._add("Identity", name, (tensor,), [tensor.shape], {})
        return self.nodes.pop()

    def reference(self, op: str, name: str, index: int, attrs: dict[str, Any]) -> str:
        """How another node names an output of this one."""
        return f"{name}:{index}" if index else name

    def _path(self, op: str) -> str:
        return f"{self._scope}/{op}" if self._scope else op

    def _add(
        self, op: str, name: str, inputs: Sequence[Operand], shapes: Sequence[Shape],
        attrs: dict[str, Any],
    ) -> list[Tensor]:
        tensors = self._materialise(op, name, inputs)
        numbers = [data_type(tensor.dtype) for tensor in tensors]
        attrs = {key: attr_value(value) for key, value in attrs.items()}
        values = types_of(op, {**infer_attrs(op, name, numbers), **attrs})
        types = output_types(op, values)
        if self._output_shapes:
            attrs["_output_shapes"] = shapes_attr(shapes, len(types))
        self.nodes.append(build_node(
            op, name, [(t.ref, n) for t, n in zip(tensors, numbers, strict=True)], attrs,
            write_defaults=True, unless=later_attributes(op)))
        return [Tensor(self.reference(op, name, index, values), tuple(shape), numpy_type(number))
                for index, (shape, number) in enumerate(zip(shapes, types, strict=False))]

    def _materialise(self, op: str, name: str, inputs: Sequence[Operand]) -> list[Tensor]:
        """Constants become nodes called `node/argument`, as TF1's Python names them."""
        words = [argument.name for argument in signature(op).inputs]
        several = len(words) != len(inputs)
        return [operand if isinstance(operand, Tensor) else self._constant(
                    operand, f"{name}/{index if several else words[index]}")
                for index, operand in enumerate(inputs)]

    def _constant(self, array: Array, name: str) -> Tensor:
        shared = array.nbytes <= SHARED_BYTES
        key: Any = (array.dtype, array.shape, array.tobytes()) if shared else id(array)
        if key not in self._constants:
            tensor = self._const_node(array, self._names.unique(name))
            self._constants[key] = (tensor, array)   # holds the array, so that its id stays its own
        return self._constants[key][0]

    def _const_node(self, array: Array, name: str) -> Tensor:
        return self._add("Const", name, (), [array.shape],
                         {"dtype": array.dtype, "value": array})[0]
