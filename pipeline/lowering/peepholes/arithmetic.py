"""Equations that give back an operand, and the mean."""

from __future__ import annotations

import math

from pipeline.lowering import dims
from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.peepholes.match import Found, Matcher, peephole

_NEUTRAL = {"add": 0.0, "add_any": 0.0, "mul": 1.0, "max": -math.inf, "min": math.inf}
_NEUTRAL_RIGHT = {"sub": 0.0, "div": 1.0, "pow": 1.0}


def _alike(left: Value, right: Value) -> bool:
    return left.dtype == right.dtype and len(left.shape) == len(right.shape) and all(
        dims.same(a, b) for a, b in zip(left.shape, right.shape, strict=True))


@peephole(*_NEUTRAL)
def _neutral(matcher: Matcher, equation: Equation) -> Found:
    found = matcher.split_number(equation)
    if found is None or found[1] != _NEUTRAL[equation.primitive]:
        return None
    return found[0] if _alike(found[0], equation.output) else None


@peephole(*_NEUTRAL_RIGHT)
def _neutral_right(matcher: Matcher, equation: Equation) -> Found:
    value, other = equation.inputs
    neutral = matcher.is_number(other, _NEUTRAL_RIGHT[equation.primitive])
    return value if neutral and _alike(value, equation.output) else None


@peephole("convert_element_type", "reshape", "broadcast_in_dim", "squeeze")
def _unchanged(_: Matcher, equation: Equation) -> Found:
    value = equation.inputs[0]
    return value if _alike(value, equation.output) else None


@peephole("select_n")
def _known_choice(matcher: Matcher, equation: Equation) -> Found:
    which, *cases = equation.inputs
    if which.constant is None or which.name or which.constant.size != 1:
        return None
    chosen = cases[int(which.constant.reshape(()))]
    return chosen if _alike(chosen, equation.output) else None


@peephole("div")
def _mean(matcher: Matcher, equation: Equation) -> Found:
    total, count = equation.inputs
    made = matcher.made_by(total, "reduce_sum")
    if made is None or total.dtype.kind not in "fV":
        return None
    sizes = [made.inputs[0].shape[axis] for axis in made.params["axes"]]
    if not dims.is_known(sizes) or not matcher.is_number(count, math.prod(sizes)):
        return None
    return "nn.mean", made.inputs, {"axes": made.params["axes"]}
