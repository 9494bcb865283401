"""Averages over windows: a sum over windows divided by how many elements each has."""

from __future__ import annotations

import math

import numpy as np

from pipeline.lowering.ir import Equation
from pipeline.lowering.peepholes.match import Found, Matcher, peephole


@peephole("div")
def _avg_pool(matcher: Matcher, equation: Equation) -> Found:
    total, count = equation.inputs
    made = matcher.made_by(total, "reduce_window_sum")
    if made is None or made.inputs[0].rank != 4:
        return None
    if matcher.is_number(count, math.prod(made.params["window_dimensions"])):
        return "nn.avg_pool", made.inputs, {**made.params, "padding_counts": True}
    counted = matcher.made_by(count, "reduce_window_sum")
    if counted is None or not _counts(counted, made):
        return None
    return "nn.avg_pool", made.inputs, {**made.params, "padding_counts": False}


def _counts(counted: Equation, made: Equation) -> bool:
    """Whether the windows of `made` are also laid over ones."""
    ones = counted.inputs[0].constant
    return (ones is not None and bool(np.all(ones == 1)) and counted.params == made.params
            and counted.inputs[0].shape[1:3] == made.inputs[0].shape[1:3])
