"""Integers: division that never fails, shifts beyond the width, single bits."""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import DType, Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.elementwise import apply, binary
from pipeline.lowering.tensor import Operand, Tensor

binary("and", "BitwiseAnd", on_bool="LogicalAnd")
binary("or", "BitwiseOr", on_bool="LogicalOr")
binary("xor", "BitwiseXor", on_bool="NotEqual")


@rule("not")
def _not(b: Builder, e: Equation) -> Tensor:
    op = "LogicalNot" if e.inputs[0].dtype.kind == "b" else "Invert"
    return b.op(op, b.operand(e.inputs[0]))


@rule("div")
def _div(b: Builder, e: Equation) -> Tensor:
    x, y = b.operands(e)
    if e.output.dtype.kind not in "iu":
        return b.op("RealDiv", x, y)
    safe, is_zero = _without_zeros(b, y)
    quotient = b.op("TruncateDiv", x, safe)
    if is_zero is None:
        return quotient
    # XLA: x / 0 has all bits set, where TensorFlow raises
    return b.select(is_zero, np.invert(np.zeros((), y.dtype)), quotient)


@rule("rem")
def _rem(b: Builder, e: Equation) -> Operand:
    x, y = b.operands(e)
    if e.output.dtype.kind not in "iu":
        return apply(b, "TruncateMod", x, y)
    safe, is_zero = _without_zeros(b, y)
    if x.dtype.name in ("int32", "int64"):
        rest = b.op("TruncateMod", x, safe)
    else:    # TruncateMod knows no other integers
        rest = b.op("Sub", x, b.op("Mul", b.op("TruncateDiv", x, safe), safe))
    return rest if is_zero is None else b.select(is_zero, x, rest)   # XLA: x % 0 is x


def _without_zeros(b: Builder, divisor: Operand) -> tuple[Operand, Operand | None]:
    """The divisor with 1 for 0, and where that was; the latter is None when it is nowhere."""
    if isinstance(divisor, np.ndarray) and divisor.all():
        return divisor, None
    zero, one = (np.asarray(number, divisor.dtype) for number in (0, 1))
    is_zero = b.op("Equal", divisor, zero)
    return b.select(is_zero, one, divisor), is_zero


def bit_width(dtype: DType) -> int:
    """How many bits an element has."""
    return dtype.itemsize * 8


def unsigned(dtype: DType) -> DType:
    """The unsigned integers of the same width."""
    return np.dtype(f"u{dtype.itemsize}")


@rule("shift_left")
def _shift_left(b: Builder, e: Equation) -> Operand:
    return shift(b, "LeftShift", *b.operands(e))


@rule("shift_right_arithmetic")
def _shift_right_arithmetic(b: Builder, e: Equation) -> Operand:
    """Beyond the width the sign fills everything: the same as a shift by all bits but one."""
    x, amount = b.operands(e)
    most = np.asarray(bit_width(x.dtype) - 1, x.dtype)
    if x.dtype.kind == "u":    # the highest bit is a sign here
        signed = np.dtype(f"i{x.dtype.itemsize}")
        places = bitcast(b, b.op("Minimum", amount, most), signed)
        return bitcast(b, b.op("RightShift", bitcast(b, x, signed), places), x.dtype)
    if isinstance(amount, np.ndarray):
        safe: Operand = np.where((amount < 0) | (amount > most), most, amount).astype(x.dtype)
    else:
        beyond = b.op("LogicalOr", b.op("Less", amount, np.zeros((), x.dtype)),
                      b.op("Greater", amount, most))
        safe = b.select(beyond, most, amount)
    return b.op("RightShift", x, safe)


@rule("shift_right_logical")
def _shift_right_logical(b: Builder, e: Equation) -> Operand:
    return shift_right_logical(b, *b.operands(e))


def shift_right_logical(b: Builder, x: Operand, amount: Operand) -> Operand:
    """Zeros come in from the left, whatever the sign."""
    if x.dtype.kind == "u":
        return shift(b, "RightShift", x, amount)
    wide = unsigned(x.dtype)
    made = shift(b, "RightShift", bitcast(b, x, wide), bitcast(b, amount, wide))
    return bitcast(b, made, x.dtype)


def shift(b: Builder, op: str, x: Operand, amount: Operand) -> Operand:
    """A shift that gives 0 for an amount that is not below the width, as XLA does."""
    width = bit_width(x.dtype)
    if isinstance(amount, np.ndarray) and ((amount >= 0) & (amount < width)).all():
        return b.op(op, x, amount)
    zero = np.zeros((), x.dtype)
    beyond: Operand = b.op("GreaterEqual", amount, np.asarray(width, x.dtype))
    if x.dtype.kind == "i":
        beyond = b.op("LogicalOr", beyond, b.op("Less", amount, zero))
    return b.select(beyond, zero, b.op(op, x, b.select(beyond, zero, amount)))


@rule("bitcast_convert_type")
def _bitcast_convert_type(b: Builder, e: Equation) -> Operand:
    x, dtype = b.full(e.inputs[0]), e.output.dtype
    if "b" in (x.dtype.kind, dtype.kind):
        raise Unsupported("booleans")
    return b.op("Bitcast", x, shape=e.output.shape, type=dtype)


def bitcast(b: Builder, x: Operand, dtype: DType) -> Operand:
    """The same bits as another type of the same width."""
    if isinstance(x, np.ndarray):
        return np.ascontiguousarray(x).view(dtype).reshape(x.shape)
    return b.op("Bitcast", x, type=dtype)


@rule("population_count")
def _population_count(b: Builder, e: Equation) -> Operand:
    return b.cast(b.op("PopulationCount", b.operand(e.inputs[0])), e.output.dtype)


@rule("clz")
def _clz(b: Builder, e: Equation) -> Operand:
    """All bits below the highest one are set, then counted."""
    x, dtype = b.operand(e.inputs[0]), e.output.dtype
    width = bit_width(dtype)
    smeared = bitcast(b, x, unsigned(dtype))
    distance = 1
    while distance < width:
        shifted = b.op("RightShift", smeared, np.asarray(distance, smeared.dtype))
        smeared = b.op("BitwiseOr", smeared, shifted)
        distance *= 2
    ones = b.cast(b.op("PopulationCount", smeared), dtype)
    return b.op("Sub", np.asarray(width, dtype), ones)


@rule("mulhi")
def _mulhi(b: Builder, e: Equation) -> Operand:
    """The upper half of a product of twice the width."""
    x, y = b.operands(e)
    width = bit_width(x.dtype)
    if width > 32:
        raise Unsupported("64-bit integers")
    if width == 32:
        return _upper_32(b, x, y)
    wide = np.dtype(np.int32 if x.dtype.kind == "i" else np.uint32)
    product = b.op("Mul", b.cast(x, wide), b.cast(y, wide))
    return b.cast(b.op("RightShift", product, np.asarray(width, wide)), x.dtype)


def _upper_32(b: Builder, x: Operand, y: Operand) -> Operand:
    """By halves of 16 bits: JAX itself has no 64-bit integers to import a graph with.

    The upper halves keep the sign, so that every partial product is one of 32 bits.
    """
    half = np.asarray(16, x.dtype)
    mask = np.asarray(0xFFFF, x.dtype)
    (x_high, x_low), (y_high, y_low) = (
        (b.op("RightShift", each, half), b.op("BitwiseAnd", each, mask)) for each in (x, y))
    low = _logical_right(b, b.op("Mul", x_low, y_low))
    middle = b.op("AddV2", b.op("Mul", x_high, y_low), low)
    other = b.op("AddV2", b.op("Mul", x_low, y_high), b.op("BitwiseAnd", middle, mask))
    carried = b.op("AddV2", b.op("RightShift", middle, half), b.op("RightShift", other, half))
    return b.op("AddV2", b.op("Mul", x_high, y_high), carried)


def _logical_right(b: Builder, x: Operand) -> Operand:
    return shift_right_logical(b, x, np.asarray(16, x.dtype))
