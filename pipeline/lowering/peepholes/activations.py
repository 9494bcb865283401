"""Activation functions that TensorFlow has an op for, as `jax.nn` writes them."""

from __future__ import annotations

import math

import numpy as np

from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.peepholes.match import Found, Matcher, peephole

_SELU_SCALE = 1.0507009873554804934193349852946   # jax.nn.selu; tensorflow/core/kernels/relu_op
_SELU_ALPHA = 1.6732632423543772848170429916717


def _is_float(equation: Equation) -> bool:
    return equation.output.dtype.kind in "fV"    # V: bfloat16


@peephole("max")
def _relu(matcher: Matcher, equation: Equation) -> Found:
    found = matcher.split_number(equation)
    if found is None or found[1] != 0.0 or not _is_float(equation):
        return None
    return "nn.relu", [found[0]], {}


@peephole("min")
def _relu6(matcher: Matcher, equation: Equation) -> Found:
    found = matcher.split_number(equation)
    if found is None or found[1] != 6.0:
        return None
    relu = matcher.made_by(found[0], "nn.relu")
    return None if relu is None else ("nn.relu6", relu.inputs, {})


@peephole("clamp")
def _relu6_by_clamp(matcher: Matcher, equation: Equation) -> Found:
    low, x, high = equation.inputs
    is_relu6 = matcher.is_number(low, 0.0) and matcher.is_number(high, 6.0)
    return ("nn.relu6", [x], {}) if is_relu6 and _is_float(equation) else None


def _where_positive(matcher: Matcher, equation: Equation) -> tuple[Value, Value] | None:
    """(x, y), if the result is x where x > 0 (or ≥ 0) and y elsewhere."""
    condition, otherwise, x = equation.inputs
    compared = matcher.made_by(condition, "gt", "ge")
    if compared is None or compared.inputs[0] is not x or not _is_float(equation):
        return None
    return (x, otherwise) if matcher.is_number(compared.inputs[1], 0.0) else None


def _scaled(matcher: Matcher, value: Value) -> tuple[Value, float]:
    """The value as another one times a number."""
    product = matcher.made_by(value, "mul")
    found = None if product is None else matcher.split_number(product)
    return (value, 1.0) if found is None else found


@peephole("select_n")
def _leaky_relu_or_elu(matcher: Matcher, equation: Equation) -> Found:
    if len(equation.inputs) != 3:
        return None
    found = _where_positive(matcher, equation)
    if found is None:
        return None
    x, otherwise = found
    inner, factor = _scaled(matcher, otherwise)
    if inner is x:
        exact = x.dtype != np.float64 or float(np.float32(factor)) == factor  # a float attribute
        return ("nn.leaky_relu", [x], {"alpha": factor}) if exact else None
    exponential = matcher.made_by(inner, "expm1", "nn.elu")
    if exponential is None or not _is_zero_where_positive(matcher, exponential.inputs[0], x):
        return None
    if factor == 1.0:
        return "nn.elu", [x], {}
    return "nn.scaled_elu", [x, *equation.inputs], {"alpha": factor}


def _is_zero_where_positive(matcher: Matcher, value: Value, x: Value) -> bool:
    if value is x:
        return True
    chosen = matcher.made_by(value, "select_n")
    if chosen is None or len(chosen.inputs) != 3:
        return False
    condition, no, yes = chosen.inputs
    compared = matcher.made_by(condition, "gt", "ge")
    return (compared is not None and compared.inputs[0] is x and no is x
            and matcher.is_number(compared.inputs[1], 0.0) and matcher.is_number(yes, 0.0))


@peephole("expm1")
def _elu_of_negative(matcher: Matcher, equation: Equation) -> Found:
    """exp(x) - 1 of what is nowhere positive; not every reader has Expm1."""
    x = equation.inputs[0]
    divided = matcher.made_by(x, "div")
    if divided is not None and (matcher.number(divided.inputs[1]) or 0) > 0:
        x = divided.inputs[0]
    smaller, chosen = matcher.made_by(x, "min"), matcher.made_by(x, "select_n")
    found = None if smaller is None else matcher.split_number(smaller)
    negative = (found is not None and found[1] <= 0) or (
        chosen is not None and _is_zero_where_positive(matcher, x, chosen.inputs[1]))
    return ("nn.elu", equation.inputs, {}) if negative and _is_float(equation) else None


@peephole("add")
def _celu(matcher: Matcher, equation: Equation) -> Found:
    """max(x, 0) + elu(min(x, 0))."""
    for positive, negative in (equation.inputs, equation.inputs[::-1]):
        relu, elu = matcher.made_by(positive, "nn.relu"), matcher.made_by(negative, "nn.elu")
        smaller = None if elu is None else matcher.made_by(elu.inputs[0], "min")
        if relu is not None and smaller is not None and (
                matcher.split_number(smaller) == (relu.inputs[0], 0.0)):
            return "nn.elu", relu.inputs, {}
    return None


@peephole("mul")
def _gelu(matcher: Matcher, equation: Equation) -> Found:
    """x · erfc(-c · x) is x · (1 + erf(c · x)), which more readers have.

    Only beside its own x: erfc alone keeps digits that 1 - erf does not have.
    """
    for factor, tail in (equation.inputs, equation.inputs[::-1]):
        complement = matcher.made_by(tail, "erfc")
        if complement is None:
            continue
        x, scale = _multiple(matcher, factor)
        inside, slope = _multiple(matcher, complement.inputs[0])
        if inside is x and scale and slope < 0 and _is_float(equation):
            return "nn.gelu", [factor, x], {"slope": -slope}
    return None


def _multiple(matcher: Matcher, value: Value) -> tuple[Value, float]:
    """The value as another one times a number, through products, quotients and signs."""
    factor = 1.0
    while made := matcher.made_by(value, "mul", "neg", "div"):
        if made.primitive == "neg":
            value, factor = made.inputs[0], -factor
            continue
        found = matcher.split_number(made)
        if found is None or (found[0] is not made.inputs[0] and made.primitive == "div"):
            break
        value = found[0]
        factor = factor * found[1] if made.primitive == "mul" else factor / found[1]
    return value, factor


@peephole("mul")
def _selu(matcher: Matcher, equation: Equation) -> Found:
    found = matcher.split_number(equation)
    elu = None if found is None else matcher.made_by(found[0], "nn.scaled_elu")
    if found is None or elu is None or not math.isclose(found[1], _SELU_SCALE, rel_tol=1e-6):
        return None
    close = math.isclose(elu.params["alpha"], _SELU_ALPHA, rel_tol=1e-6)
    return ("nn.selu", elu.inputs[:1], {}) if close else None


@peephole("select_n")
def _softplus(matcher: Matcher, equation: Equation) -> Found:
    """`logaddexp(x, 0)`: NaN where x is, else max(x, 0) + log1p(exp(-|x|))."""
    if len(equation.inputs) != 3:
        return None
    is_nan, total, x = equation.inputs
    compared, added = matcher.made_by(is_nan, "ne"), matcher.made_by(total, "add")
    if compared is None or added is None or [*compared.inputs] != [x, x]:
        return None
    relu = matcher.made_by(added.inputs[0], "nn.relu")
    inner: Value | None = added.inputs[1]
    for primitive in ("log1p", "exp", "neg", "abs"):
        made = None if inner is None else matcher.made_by(inner, primitive)
        inner = None if made is None else made.inputs[0]
    if relu is None or relu.inputs[0] is not x or inner is not x:
        return None
    return "nn.softplus", [x], {}


@peephole("div")
def _softsign(matcher: Matcher, equation: Equation) -> Found:
    x, denominator = equation.inputs
    added = matcher.made_by(denominator, "add")
    found = None if added is None else matcher.split_number(added)
    if found is None or found[1] != 1.0:
        return None
    magnitude = matcher.made_by(found[0], "abs")
    same = magnitude is not None and magnitude.inputs[0] is x
    return ("nn.softsign", [x], {}) if same else None
