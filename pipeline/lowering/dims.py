"""Arithmetic on dimensions that may be known only at run time.

JAX writes a symbolic dimension as text such as `floordiv(h - 2, 2) + 1`, `mod(h, 2)`, `max(b, 3)`,
`3*b^2`; that text is all that is read here.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.lowering.ir import Dim, Shape

if TYPE_CHECKING:
    from pipeline.lowering.builder import Builder
    from pipeline.lowering.tensor import Operand

_BINARY = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Pow: "Pow"}
_CALLS = {"floordiv": "FloorDiv", "mod": "FloorMod", "max": "Maximum", "min": "Minimum"}


def is_known(shape: Sequence[Dim]) -> bool:
    """Whether every dimension is a number."""
    return all(isinstance(size, int) for size in shape)


def same(left: Dim, right: Dim) -> bool:
    """Whether two dimensions are surely equal."""
    return str(left) == str(right)


def joint_shape(shapes: Sequence[Shape]) -> Shape:
    """What shapes broadcast to; a scalar adds nothing, a 1 gives way."""
    ranked = [shape for shape in shapes if len(shape)]
    if not ranked:
        return ()
    return tuple(next((size for size in sizes if not same(size, 1)), 1)
                 for sizes in zip(*ranked, strict=True))


def lower_size(builder: Builder, text: str) -> Operand:
    """The int32 scalar that a dimension's text stands for."""
    return _lower(builder, ast.parse(text.replace("^", "**"), mode="eval").body)


def _lower(builder: Builder, tree: ast.AST) -> Operand:
    match tree:
        case ast.Constant(value=int(number)):
            return np.asarray(number, np.int32)
        case ast.Name(id=name):
            return builder.symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _call(builder, "Neg", [operand])
        case ast.BinOp(left=left, op=op, right=right):
            return _call(builder, _BINARY[type(op)], [left, right])
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _call(builder, _CALLS[function], arguments)
    raise AssertionError(f"dimension {ast.unparse(tree)}: not a form that JAX prints")


def _call(builder: Builder, op: str, arguments: Sequence[ast.AST]) -> Operand:
    operands: list[Any] = [_lower(builder, argument) for argument in arguments]
    if op == "Neg" and isinstance(operands[0], np.ndarray):
        return np.negative(operands[0])
    return builder.op(op, *operands, shape=())
