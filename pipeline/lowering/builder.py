"""Makes nodes for equations: constants, names, broadcasting, sizes known only at run time.

A tensor may be *lazy*: where its value has a dimension n it may have 1, or it may be a scalar. Ops
that broadcast take it as it is; others ask for it `full`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message

from pipeline.graph import build_node, infer_attrs, output_types, signature
from pipeline.lowering import dims
from pipeline.lowering.errors import Gap
from pipeline.lowering.ir import Array, DType, Equation, Shape, Value
from pipeline.lowering.names import Names, sanitise
from pipeline.lowering.opset import Opset
from pipeline.lowering.tensor import (
    Operand,
    Tensor,
    attr_value,
    data_type,
    numpy_type,
    shapes_attr,
    types_of,
)

_SHARED_BYTES = 256    # constants up to this size are written once when their bytes are equal


class Builder:
    """The nodes of one graph, growing equation by equation."""

    def __init__(
        self, opset: Opset, names: Names, *, output_shapes: bool = False,
        library: list[Message] | None = None, gaps: list[Gap] | None = None,
        counter: Iterator[int] | None = None,
    ) -> None:
        self.opset = opset
        self.library: list[Message] = [] if library is None else library   # functions
        self.counter = itertools.count() if counter is None else counter
        self.gaps: list[Gap] = [] if gaps is None else gaps    # equations without a lowering
        self._output_shapes = output_shapes
        self.nodes: list[Message] = []
        self._names = names
        self._scope = ""
        self._tensors: dict[Value, Tensor] = {}
        self._constants: dict[Any, tuple[Tensor, Any]] = {}
        self._turned: dict[Any, Tensor] = {}
        self._symbols: dict[str, tuple[Tensor, int]] = {}
        self._read_symbols: dict[str, Tensor] = {}
        self._sizes: dict[str, Operand] = {}

    def count(self) -> int:
        """0, 1, 2, … over the graph and all its functions."""
        return next(self.counter)

    def enter(self, equation: Equation) -> None:
        """Nodes made from now on lie in the equation's scope."""
        self._scope = sanitise(equation.scope)

    def leave(self) -> None:
        """Nodes made from now on lie in no scope."""
        self._scope = ""

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
                self._symbols.setdefault(str(size), (tensor, axis))

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

    def tensor(self, operand: Operand) -> Tensor:
        """The operand as a tensor: an array becomes a constant."""
        if isinstance(operand, Tensor):
            return operand
        return self._constant(operand, self._path("Const"))

    def full(self, value: Value) -> Operand:
        """The tensor of a value in its whole shape."""
        return self.expand(self.operand(value), value.shape)

    def full_operands(self, equation: Equation) -> list[Operand]:
        """The tensors of all inputs in their whole shapes."""
        return [self.full(value) for value in equation.inputs]

    def expand(self, operand: Operand, shape: Shape) -> Operand:
        """Repeat a lazy tensor until it fills `shape`."""
        if tuple(operand.shape) == tuple(shape):
            return operand
        if isinstance(operand, np.ndarray) and dims.is_known(shape) and (
                math.prod(shape) * operand.itemsize <= _SHARED_BYTES or operand.ndim):
            return np.broadcast_to(operand, shape)
        if not operand.shape:
            return self.op("Fill", self.sizes(shape), operand, shape=shape)
        multiples = [1 if have == want else want
                     for have, want in zip(operand.shape, shape, strict=True)]
        return self.tile(operand, multiples, shape)

    def tile(self, operand: Operand, multiples: Sequence[Any], shape: Shape) -> Operand:
        """The tensor side by side with itself."""
        if operand.dtype == np.uint16:    # Tile has no kernel for it
            wide = self.tile(self.cast(operand, np.dtype(np.int32)), multiples, shape)
            return self.cast(wide, operand.dtype)
        return self.op("Tile", operand, self.sizes(multiples), shape=shape)

    def joint(self, operands: Sequence[Operand]) -> Shape:
        """The shape that operands broadcast to."""
        return dims.joint_shape([operand.shape for operand in operands])

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
            shape = self.joint(inputs)
        return self.ops(op, *inputs, shapes=[shape], **attrs)[0]

    def ops(self, op: str, *inputs: Operand, shapes: Sequence[Shape], **attrs: Any) -> list[Tensor]:
        """A node and its first outputs, which have these `shapes`."""
        op = self.opset.renamed.get(op, op)
        return self._add(op, self._names.unique(self._path(op)), inputs, shapes, attrs)

    def sizes(self, shape: Sequence[Any]) -> Operand:
        """A shape as an int32 vector: a constant where every dimension is known."""
        if all(isinstance(size, int) for size in shape):
            return np.asarray(shape, np.int32)
        return self.op("Pack", *(self.size(size) for size in shape), shape=(len(shape),))

    def size(self, size: Any) -> Operand:
        """A dimension as an int32 scalar."""
        if isinstance(size, int):
            return np.asarray(size, np.int32)
        text = str(size)
        if text not in self._sizes:
            self._sizes[text] = dims.lower_size(self, text)
        return self._sizes[text]

    def symbol(self, name: str) -> Tensor:
        """The run-time size of a named dimension, read off the input that has it."""
        if name not in self._read_symbols:
            self._read_symbols[name] = self._read_symbol(name)
        return self._read_symbols[name]

    def _read_symbol(self, name: str) -> Tensor:
        tensor, axis = self._symbols[name]
        prefix = tensor.ref
        shape = self._add("Shape", self._names.unique(f"{prefix}/Shape"), (tensor,),
                          [(len(tensor.shape),)], {})[0]
        begin, end, one = (np.asarray([number], np.int32) for number in (axis, axis + 1, 1))
        return self._add("StridedSlice", self._names.unique(f"{prefix}/{sanitise(name)}"),
                         (shape, begin, end, one), [()], {"shrink_axis_mask": 1})[0]

    def reshape(self, operand: Operand, shape: Shape) -> Operand:
        """The same elements in another shape."""
        if isinstance(operand, np.ndarray) and dims.is_known(shape):
            return operand.reshape(shape)
        unknown = [axis for axis, size in enumerate(shape) if not isinstance(size, int)]
        if len(unknown) == 1 and 0 not in shape:
            wanted: Operand = np.asarray(
                [-1 if axis in unknown else size for axis, size in enumerate(shape)], np.int32)
        else:
            wanted = self.sizes(shape)
        return self.op("Reshape", operand, wanted, shape=shape)

    def stack(self, operands: Sequence[Operand], axis: int) -> Operand:
        """Operands of one shape side by side along a new axis."""
        if all(isinstance(operand, np.ndarray) for operand in operands):
            return np.stack(operands, axis)  # type: ignore[arg-type]
        first = operands[0].shape
        return self.op("Pack", *operands, shape=(*first[:axis], len(operands), *first[axis:]),
                       axis=axis)

    def select(self, condition: Operand, yes: Operand, no: Operand) -> Tensor:
        """`yes` where the condition holds and `no` elsewhere; all three may be lazy."""
        if self.opset.modern:
            return self.op("Select", condition, yes, no)
        joint = self.joint([condition, yes, no])    # TensorFlow 1's Select does not broadcast
        if condition.shape:                         # but takes one condition for all
            condition = self.expand(condition, joint)
        yes, no = (self.expand(each, joint) for each in (yes, no))
        return self.op("Select", condition, yes, no, shape=joint)

    def split(self, operand: Operand, count: int, axis: int) -> list[Tensor]:
        """`count` equal parts along an axis."""
        part = tuple(size // count if at == axis else size
                     for at, size in enumerate(operand.shape))
        return self.ops("Split", np.asarray(axis, np.int32), operand, shapes=[part] * count,
                        num_split=count)

    def cast(self, operand: Operand, dtype: DType) -> Operand:
        """The same elements in another type, as C casts."""
        if operand.dtype == dtype:
            return operand
        if isinstance(operand, np.ndarray):
            return operand.astype(dtype)
        return self.op("Cast", operand, DstT=dtype)

    def identity(self, name: str, tensor: Tensor) -> Message:
        """An Identity of this very name behind a tensor; not yet among the nodes."""
        self._add("Identity", name, (tensor,), [tensor.shape], {})
        return self.nodes.pop()

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
            op, name, [(t.ref, n) for t, n in zip(tensors, numbers, strict=True)], attrs))
        return [Tensor(self.reference(op, name, index, values), tuple(shape), numpy_type(number))
                for index, (shape, number) in enumerate(zip(shapes, types, strict=False))]

    def reference(self, op: str, name: str, index: int, attrs: dict[str, Any]) -> str:
        """How another node names an output of this one."""
        return f"{name}:{index}" if index else name

    def _materialise(self, op: str, name: str, inputs: Sequence[Operand]) -> list[Tensor]:
        """Constants become nodes called `node/argument`, as TF1's Python names them."""
        words = [argument.name for argument in signature(op).inputs]
        several = len(words) != len(inputs)
        return [operand if isinstance(operand, Tensor) else self._constant(
                    operand, f"{name}/{index if several else words[index]}")
                for index, operand in enumerate(inputs)]

    def _constant(self, array: Array, name: str) -> Tensor:
        shared = array.nbytes <= _SHARED_BYTES
        key: Any = (array.dtype, array.shape, array.tobytes()) if shared else id(array)
        if key not in self._constants:
            tensor = self._const_node(array, self._names.unique(name))
            self._constants[key] = (tensor, array)   # holds the array, so that its id stays its own
        return self._constants[key][0]

    def _const_node(self, array: Array, name: str) -> Tensor:
        return self._add("Const", name, (), [array.shape],
                         {"dtype": array.dtype, "value": array})[0]
