"""Softmax and its logarithm over the last axis, with the maximum taken off first."""

from __future__ import annotations

from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.peepholes.match import Found, Matcher, peephole


def _shifted(matcher: Matcher, value: Value) -> Value | None:
    """x, if the value is x - max(x) over the last axis."""
    difference = matcher.made_by(value, "sub")
    if difference is None:
        return None
    x, top = difference.inputs
    reduced = matcher.kept_dims(top, (x.rank - 1,))
    maximum = None if reduced is None else matcher.made_by(reduced, "reduce_max")
    if maximum is None or maximum.inputs[0] is not x or maximum.params["axes"] != (x.rank - 1,):
        return None
    return x


def _sum_of_exp(matcher: Matcher, value: Value) -> Value | None:
    """e, if the value is the sum of e over the last axis and e an exponential."""
    reduced = matcher.kept_dims(value, (value.rank - 1,)) if value.rank else None
    total = None if reduced is None else matcher.made_by(reduced, "reduce_sum")
    if total is None or total.params["axes"] != (total.inputs[0].rank - 1,):
        return None
    return total.inputs[0] if matcher.made_by(total.inputs[0], "exp") else None


@peephole("div")
def _softmax(matcher: Matcher, equation: Equation) -> Found:
    numerator, denominator = equation.inputs
    if _sum_of_exp(matcher, denominator) is not numerator:
        return None
    exponential = matcher.made_by(numerator, "exp")
    assert exponential is not None
    x = _shifted(matcher, exponential.inputs[0])
    return None if x is None else ("nn.softmax", [x], {})


@peephole("sub")
def _log_softmax(matcher: Matcher, equation: Equation) -> Found:
    shifted, normalizer = equation.inputs
    logarithm = matcher.made_by(normalizer, "log")
    numerator = None if logarithm is None else _sum_of_exp(matcher, logarithm.inputs[0])
    exponential = None if numerator is None else matcher.made_by(numerator, "exp")
    if exponential is None or exponential.inputs[0] is not shifted:
        return None
    x = _shifted(matcher, shifted)
    return None if x is None else ("nn.log_softmax", [x], {})
