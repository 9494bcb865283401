"""Primitives that work on each element by itself; operands may be lazy."""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder, Operand, Tensor
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import DType, Equation
from pipeline.lowering.registry import rule

_COMMUTATIVE = ("Add", "Mul", "Maximum", "Minimum", "LogicalAnd", "LogicalOr")


def unary(primitive: str, op: str) -> None:
    """`primitive(x)` is the op."""
    rule(primitive)(lambda b, e: b.op(op, b.operand(e.inputs[0])))


def binary(primitive: str, op: str, *, on_bool: str = "", on_int: str = "") -> None:
    """`primitive(x, y)` is the op; booleans and integers may have another one."""
    def lower(b: Builder, e: Equation) -> Tensor:
        kind = e.inputs[0].dtype.kind
        chosen = on_bool if kind == "b" and on_bool else on_int if kind in "iu" and on_int else op
        x, y = b.operands(e)
        if chosen in _COMMUTATIVE and isinstance(x, np.ndarray):
            x, y = y, x    # some readers know a constant only as second operand
        return b.op(chosen, x, y)
    rule(primitive)(lower)


unary("neg", "Neg")
unary("abs", "Abs")
unary("sign", "Sign")
unary("floor", "Floor")
unary("ceil", "Ceil")
unary("exp", "Exp")
unary("expm1", "Expm1")
unary("log", "Log")
unary("log1p", "Log1p")
unary("sqrt", "Sqrt")
unary("rsqrt", "Rsqrt")
unary("square", "Square")
unary("tanh", "Tanh")
unary("logistic", "Sigmoid")
unary("sin", "Sin")
unary("cos", "Cos")
unary("tan", "Tan")
unary("asin", "Asin")
unary("acos", "Acos")
unary("atan", "Atan")
unary("sinh", "Sinh")
unary("cosh", "Cosh")
unary("asinh", "Asinh")
unary("acosh", "Acosh")
unary("atanh", "Atanh")
unary("erf", "Erf")
unary("erfc", "Erfc")
unary("erf_inv", "Erfinv")
unary("lgamma", "Lgamma")
unary("digamma", "Digamma")
unary("is_finite", "IsFinite")

binary("add", "Add", on_bool="LogicalOr")
binary("add_any", "Add", on_bool="LogicalOr")
binary("sub", "Sub")
binary("mul", "Mul", on_bool="LogicalAnd")
binary("max", "Maximum", on_bool="LogicalOr")
binary("min", "Minimum", on_bool="LogicalAnd")
binary("pow", "Pow")
binary("atan2", "Atan2")
binary("eq", "Equal")
binary("ne", "NotEqual")
binary("lt", "Less")
binary("le", "LessEqual")
binary("gt", "Greater")
binary("ge", "GreaterEqual")
binary("and", "BitwiseAnd", on_bool="LogicalAnd")
binary("or", "BitwiseOr", on_bool="LogicalOr")
binary("xor", "BitwiseXor", on_bool="NotEqual")


@rule("not")
def _not(b: Builder, e: Equation) -> Tensor:
    op = "LogicalNot" if e.inputs[0].dtype.kind == "b" else "Invert"
    return b.op(op, b.operand(e.inputs[0]))


@rule("div")
def _div(b: Builder, e: Equation) -> Tensor:
    if e.output.dtype.kind not in "iu":
        return b.op("RealDiv", *b.operands(e))
    x, y = b.operands(e)
    safe, is_zero = _without_zeros(b, y)
    quotient = b.op("TruncateDiv", x, safe)
    # XLA: x / 0 is -1 (all bits set), where TensorFlow raises
    return quotient if is_zero is None else select(b, is_zero, _full_bits(y.dtype), quotient)


@rule("rem")
def _rem(b: Builder, e: Equation) -> Tensor:
    x, y = b.operands(e)
    if e.output.dtype.kind not in "iu":
        return b.op("TruncateMod", x, y)
    safe, is_zero = _without_zeros(b, y)
    rest = b.op("TruncateMod", x, safe)
    return rest if is_zero is None else select(b, is_zero, x, rest)   # XLA: x % 0 is x


def _without_zeros(b: Builder, divisor: Operand) -> tuple[Operand, Operand | None]:
    """The divisor with 1 for 0, and where that was; the latter is None when it is nowhere."""
    if isinstance(divisor, np.ndarray) and divisor.all():
        return divisor, None
    zero, one = (np.asarray(number, divisor.dtype) for number in (0, 1))
    is_zero = b.op("Equal", divisor, zero)
    return select(b, is_zero, one, divisor), is_zero


def _full_bits(dtype: DType) -> Operand:
    return np.invert(np.zeros((), dtype))


@rule("integer_pow")
def _integer_pow(b: Builder, e: Equation) -> Operand:
    x, exponent = b.operand(e.inputs[0]), e.params["y"]
    if exponent == 2:
        return b.op("Square", x)
    if exponent == -1:
        return b.op("Reciprocal", x)
    return b.op("Pow", x, np.asarray(exponent, x.dtype))


@rule("exp2")
def _exp2(b: Builder, e: Equation) -> Tensor:
    return b.op("Pow", np.asarray(2, e.output.dtype), b.operand(e.inputs[0]))


@rule("cbrt")
def _cbrt(b: Builder, e: Equation) -> Tensor:
    x = b.operand(e.inputs[0])
    root = b.op("Pow", b.op("Abs", x), np.asarray(1 / 3, x.dtype))
    return b.op("Mul", b.op("Sign", x), root)


@rule("round")
def _round(b: Builder, e: Equation) -> Tensor:
    x = b.operand(e.inputs[0])
    if int(e.params["rounding_method"]) == 1:     # to even
        return b.op("Rint", x)
    half = np.asarray(0.5, x.dtype)               # away from zero
    return b.op("Mul", b.op("Sign", x), b.op("Floor", b.op("Add", b.op("Abs", x), half)))


@rule("clamp")
def _clamp(b: Builder, e: Equation) -> Tensor:
    low, x, high = b.operands(e)
    return b.op("Minimum", b.op("Maximum", x, low), high)


@rule("select_n")
def _select_n(b: Builder, e: Equation) -> Operand:
    which, *cases = b.operands(e)
    if which.dtype.kind == "b":
        return select(b, which, *reversed(cases))
    result = cases[-1]
    for index in range(len(cases) - 2, -1, -1):
        chosen = b.op("Equal", which, np.asarray(index, which.dtype))
        result = select(b, chosen, cases[index], result)
    return result


def select(b: Builder, condition: Operand, yes: Operand, no: Operand) -> Tensor:
    """`yes` where the condition holds and `no` elsewhere; all three may be lazy."""
    if b.opset.modern:
        return b.op("Select", condition, yes, no)
    joint = b.joint([condition, yes, no])    # TensorFlow 1's Select does not broadcast
    return b.op("Select", *(b.expand(each, joint) for each in (condition, yes, no)))


@rule("convert_element_type")
def _convert(b: Builder, e: Equation) -> Operand:
    x, dtype = b.operand(e.inputs[0]), e.output.dtype
    if not isinstance(dtype, np.dtype):
        raise Unsupported(f"to {dtype}")
    return b.cast(x, dtype)
