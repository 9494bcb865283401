"""Primitives that work on each element by itself; operands may be lazy."""

from __future__ import annotations

import math

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.tensor import Operand, Tensor

_COMMUTATIVE = ("Add", "Mul", "Maximum", "Minimum", "LogicalAnd", "LogicalOr")
HALF = ("float16", "bfloat16")
# ops without a CPU kernel for half precision, or for bfloat16 (TensorFlow 2.21)
_ONLY_SINGLE = ("Rint", "Erfinv", "Lgamma", "Digamma", "Igamma", "Igammac", "Betainc",
                "Polygamma", "Zeta", "BesselI0e", "BesselI1e", "TruncateMod")


def apply(b: Builder, op: str, *operands: Operand) -> Operand:
    """The op, in single precision if it has no kernel for half."""
    dtype = operands[0].dtype
    if op in _ONLY_SINGLE and dtype.name in HALF:
        single = [b.cast(operand, np.dtype(np.float32)) for operand in operands]
        return b.cast(b.op(op, *single), dtype)
    return b.op(op, *operands)


def unary(primitive: str, op: str) -> None:
    """`primitive(x)` is the op."""
    rule(primitive)(lambda b, e: apply(b, op, b.operand(e.inputs[0])))


def beside(x: Operand, y: Operand) -> tuple[Operand, Operand]:
    """Constants without the leading dimensions of 1 that broadcasting adds: `[c]`, `[]`."""
    def shortened(each: Operand, other: Operand) -> Operand:
        if not isinstance(each, np.ndarray) or len(each.shape) > len(other.shape):
            return each
        first = next((at for at, size in enumerate(each.shape) if size != 1), each.ndim)
        return each.reshape(each.shape[first:])

    return shortened(x, y), shortened(y, x)


def binary(primitive: str, op: str, *, on_bool: str = "") -> None:
    """`primitive(x, y)` is the op; booleans may have another one."""
    def lower(b: Builder, e: Equation) -> Operand:
        chosen = on_bool if on_bool and e.inputs[0].dtype.kind == "b" else op
        x, y = beside(*b.operands(e))
        if chosen in _COMMUTATIVE and isinstance(x, np.ndarray):
            x, y = y, x    # some readers know a constant only as second operand
        return apply(b, chosen, x, y)
    rule(primitive)(lower)


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
unary("bessel_i0e", "BesselI0e")
unary("bessel_i1e", "BesselI1e")
unary("is_finite", "IsFinite")

binary("sub", "Sub")
binary("mul", "Mul", on_bool="LogicalAnd")
binary("max", "Maximum", on_bool="LogicalOr")
binary("min", "Minimum", on_bool="LogicalAnd")
binary("atan2", "Atan2")
binary("igamma", "Igamma")
binary("igammac", "Igammac")
binary("polygamma", "Polygamma")
binary("zeta", "Zeta")
binary("eq", "Equal")
binary("ne", "NotEqual")


@rule("add", "add_any")
def _add(b: Builder, e: Equation) -> Operand:
    x, y = beside(*b.operands(e))
    if isinstance(x, np.ndarray):
        x, y = y, x
    if e.output.dtype.kind == "b":
        return b.op("LogicalOr", x, y)
    # Add has no wide unsigned integers
    return b.op("AddV2" if e.output.dtype.name in ("uint16", "uint32", "uint64") else "Add", x, y)


def comparison(primitive: str, op: str) -> None:
    """An order; booleans are ordered as 0 and 1."""
    def lower(b: Builder, e: Equation) -> Tensor:
        x, y = beside(*b.operands(e))
        if x.dtype.kind == "b":
            x, y = (b.cast(each, np.dtype(np.int32)) for each in (x, y))
        return b.op(op, x, y)
    rule(primitive)(lower)


comparison("lt", "Less")
comparison("le", "LessEqual")
comparison("gt", "Greater")
comparison("ge", "GreaterEqual")


def total_order(primitive: str, op: str) -> None:
    """An order in which NaN is the largest: `op`, or NaN on the right (`y`) alone."""
    def lower(b: Builder, e: Equation) -> Tensor:
        x, y = b.operands(e)
        if x.dtype.kind == "b":
            x, y = (b.cast(each, np.dtype(np.int32)) for each in (x, y))
        ordered = b.op(op, x, y)
        if x.dtype.kind not in "fV" or (isinstance(y, np.ndarray) and (y == y).all()):
            return ordered
        x_nan, y_nan = b.op("NotEqual", x, x), b.op("NotEqual", y, y)
        if op == "LessEqual":
            return b.op("LogicalOr", ordered, y_nan)
        return b.op("LogicalOr", ordered,
                    b.op("LogicalAnd", y_nan, b.op("LogicalNot", x_nan)))
    rule(primitive)(lower)


total_order("lt_to", "Less")
total_order("le_to", "LessEqual")


@rule("neg")
def _neg(b: Builder, e: Equation) -> Tensor:
    x = b.operand(e.inputs[0])
    if x.dtype.kind == "u":
        return b.op("Sub", np.zeros((), x.dtype), x)
    return b.op("Neg", x)


@rule("abs")
def _abs(b: Builder, e: Equation) -> Operand:
    x = b.operand(e.inputs[0])
    if x.dtype.kind == "u":
        return x
    if x.dtype.kind == "c":
        return b.op("ComplexAbs", x, Tout=e.output.dtype)
    return b.op("Abs", x)


@rule("sign")
def _sign(b: Builder, e: Equation) -> Tensor:
    x = b.operand(e.inputs[0])
    if x.dtype.kind == "u":
        return b.op("Minimum", x, np.ones((), x.dtype))
    return b.op("Sign", x)


@rule("integer_pow")
def _integer_pow(b: Builder, e: Equation) -> Operand:
    x, exponent = b.operand(e.inputs[0]), e.params["y"]
    if exponent < 0:
        return b.op("Reciprocal", _power(b, x, -exponent))
    return _power(b, x, exponent)


def _power(b: Builder, x: Operand, exponent: int) -> Operand:
    """By squaring, as XLA does: `Pow` rounds otherwise, and knows no unsigned integers."""
    if exponent == 0:
        return np.ones((), x.dtype)
    result: Operand | None = None
    while exponent:
        if exponent & 1:
            result = x if result is None else b.op("Mul", result, x)
        exponent >>= 1
        if exponent:
            x = b.op("Square", x)
    assert result is not None
    return result


@rule("exp2")
def _exp2(b: Builder, e: Equation) -> Tensor:
    x = b.operand(e.inputs[0])
    if x.dtype.kind == "c":
        return b.op("Exp", b.op("Mul", x, np.asarray(math.log(2), x.dtype)))
    return b.op("Pow", np.asarray(2, x.dtype), x)


@rule("pow")
def _pow(b: Builder, e: Equation) -> Tensor:
    """JAX also takes integers as exponents of others."""
    x, exponent = b.operands(e)
    return b.op("Pow", x, b.cast(exponent, x.dtype))


@rule("cbrt")
def _cbrt(b: Builder, e: Equation) -> Operand:
    """Of half precision in single: a third is too coarse there."""
    x, dtype = b.operand(e.inputs[0]), e.output.dtype
    x = b.cast(x, np.dtype(np.float32)) if dtype.name in HALF else x
    root = b.op("Pow", b.op("Abs", x), np.asarray(1 / 3, x.dtype))
    return b.cast(b.op("Mul", b.op("Sign", x), root), dtype)


@rule("nextafter")
def _nextafter(b: Builder, e: Equation) -> Tensor:
    if e.output.dtype.name in HALF:
        raise Unsupported("half precision")
    return b.op("NextAfter", *b.operands(e))


@rule("round")
def _round(b: Builder, e: Equation) -> Operand:
    x = b.operand(e.inputs[0])
    if int(e.params["rounding_method"]) == 1:     # to even
        return apply(b, "Rint", x)
    magnitude = b.op("Abs", x)                    # away from zero
    whole = b.op("Floor", magnitude)
    up = b.op("GreaterEqual", b.op("Sub", magnitude, whole), np.asarray(0.5, x.dtype))
    return b.op("Mul", b.op("Sign", x), b.op("Add", whole, b.cast(up, x.dtype)))


@rule("clamp")
def _clamp(b: Builder, e: Equation) -> Tensor:
    low, x, high = b.operands(e)
    return b.op("Minimum", b.op("Maximum", x, low), high)


@rule("regularized_incomplete_beta")
def _betainc(b: Builder, e: Equation) -> Operand:
    return apply(b, "Betainc", *b.full_operands(e))


@rule("select_n")
def _select_n(b: Builder, e: Equation) -> Operand:
    which, *cases = b.operands(e)
    return choose(b, which, cases)


def choose(b: Builder, which: Operand, cases: list[Operand]) -> Operand:
    """`cases[which]`, element by element; `which` is boolean or counts from 0."""
    if which.dtype.kind == "b":
        no, yes = cases if len(cases) == 2 else (cases[0], cases[0])
        return b.select(which, yes, no)
    result = cases[-1]
    for index in range(len(cases) - 2, -1, -1):
        chosen = b.op("Equal", which, np.asarray(index, which.dtype))
        result = b.select(chosen, cases[index], result)
    return result


@rule("conj")
def _conj(b: Builder, e: Equation) -> Tensor:
    return b.op("Conj", b.cast(b.operand(e.inputs[0]), e.output.dtype))


@rule("complex")
def _complex(b: Builder, e: Equation) -> Tensor:
    return b.op("Complex", *b.operands(e), Tout=e.output.dtype)


@rule("real")
def _real(b: Builder, e: Equation) -> Tensor:
    return b.op("Real", b.operand(e.inputs[0]), Tout=e.output.dtype)


@rule("imag")
def _imag(b: Builder, e: Equation) -> Tensor:
    return b.op("Imag", b.operand(e.inputs[0]), Tout=e.output.dtype)
