"""Sizes known only at run time, as nodes.

JAX writes a symbolic dimension as text such as `floordiv(h - 2, 2) + 1`, `mod(h, 2)`, `max(b, 3)`,
`3*b^2`; that text is all that is read here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.lowering.errors import LoweringError
from pipeline.lowering.names import Names, sanitise
from pipeline.lowering.node_writer import NodeWriter
from pipeline.lowering.opset import Opset
from pipeline.lowering.tensor import Operand, Tensor

_LINEAR = re.compile(r"(?:(?P<times>\d+)\*)?(?P<symbol>[A-Za-z_]\w*)(?P<more> [+-] \d+)?")
_BINARY = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Pow: "Pow"}
_CALLS = {"floordiv": "FloorDiv", "mod": "FloorMod", "max": "Maximum", "min": "Minimum"}


class Sizes(NodeWriter):
    """Writes nodes for dimensions; `name_dimension` says where a named one is read off."""

    def __init__(
        self, opset: Opset, names: Names, *, output_shapes: bool = False,
        outer: NodeWriter | None = None,
    ) -> None:
        super().__init__(opset, names, output_shapes=output_shapes, outer=outer)
        self._symbols: dict[str, tuple[Tensor, int, str]] = {}
        self._read_symbols: dict[str, Tensor] = {}
        self._sizes: dict[str, Operand] = {}

    def name_dimension(self, name: str, tensor: Tensor, axis: int) -> None:
        """This axis has the size `name`, from which a name in it follows: `t`, `2*t`, `t + 1`."""
        found = _LINEAR.fullmatch(name)
        if found is not None and (found["symbol"] not in self._symbols or found["symbol"] == name):
            self._symbols[found["symbol"]] = (tensor, axis, name)

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
            self._sizes[text] = _lower_size(self, text)
        return self._sizes[text]

    def symbol(self, name: str) -> Tensor:
        """The run-time size of a named dimension, read off the input that has it."""
        if name not in self._read_symbols:
            self._read_symbols[name] = self._read_symbol(name)
        return self._read_symbols[name]

    def _read_symbol(self, name: str) -> Tensor:
        if name not in self._symbols:
            raise LoweringError(f"the size {name!r} does not follow from the shapes of the inputs; "
                                f"one of them needs a dimension {name!r}, or such as '2*{name}'")
        tensor, axis, said = self._symbols[name]
        prefix = tensor.ref
        shape = self._add("Shape", self._names.unique(f"{prefix}/Shape"), (tensor,),
                          [(len(tensor.shape),)], {})[0]
        begin, end, one = (np.asarray([number], np.int32) for number in (axis, axis + 1, 1))
        size = self._add("StridedSlice", self._names.unique(f"{prefix}/{sanitise(name)}"),
                         (shape, begin, end, one), [()], {"shrink_axis_mask": 1})[0]
        found = _LINEAR.fullmatch(said)
        assert found is not None
        if found["more"]:
            more = int(found["more"].replace(" ", ""))
            size = self.op("Sub", size, np.asarray(more, np.int32), shape=())
        if found["times"]:
            size = self.op("FloorDiv", size, np.asarray(int(found["times"]), np.int32), shape=())
        return size


def _lower_size(writer: Sizes, text: str) -> Operand:
    """The int32 scalar that a dimension's text stands for."""
    return _lower(writer, ast.parse(text.replace("^", "**"), mode="eval").body)


def _lower(writer: Sizes, tree: ast.AST) -> Operand:
    match tree:
        case ast.Constant(value=int(number)):
            return np.asarray(number, np.int32)
        case ast.Name(id=name):
            return writer.symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _call(writer, "Neg", [operand])
        case ast.BinOp(left=left, op=op, right=right):
            return _call(writer, _BINARY[type(op)], [left, right])
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _call(writer, _CALLS[function], arguments)
    raise AssertionError(f"dimension {ast.unparse(tree)}: not a form that JAX prints")


def _call(writer: Sizes, op: str, arguments: Sequence[ast.AST]) -> Operand:
    operands: list[Any] = [_lower(writer, argument) for argument in arguments]
    if op == "Neg" and isinstance(operands[0], np.ndarray):
        return np.negative(operands[0])
    return writer.op(op, *operands, shape=())
