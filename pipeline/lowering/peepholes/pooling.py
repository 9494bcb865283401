"""Averages over windows: a sum over windows divided by how many elements each has."""

from __future__ import annotations

import math

import numpy as np

from pipeline.lowering.ir import Equation
from pipeline.lowering.peepholes.match import Found, Matcher, peephole
from pipeline.lowering.window import padding_name


@peephole("div")
def _avg_pool(matcher: Matcher, equation: Equation) -> Found:
    total, count = equation.inputs
    made = matcher.made_by(total, "reduce_window_sum")
    if made is None or not _pooled(made):
        return None
    if matcher.is_number(count, math.prod(made.params["window_dimensions"])):
        return "nn.avg_pool", made.inputs, {**made.params, "padding_counts": True}
    counted = matcher.made_by(count, "reduce_window_sum")
    if counted is None or not _counts(counted, made) or not _padding(made):
        return None
    return "nn.avg_pool", made.inputs, {**made.params, "padding_counts": False}


def _pooled(made: Equation) -> bool:
    """Whether AvgPool has it: one to three dimensions of floats, without gaps."""
    moving = sum(size != 1 or step != 1 or amounts != (0, 0) for size, step, amounts in zip(
        *(made.params[name] for name in ("window_dimensions", "window_strides", "padding")),
        strict=True))
    single = made.output.dtype == np.float32
    return (0 < moving <= (3 if single else 2) and made.output.dtype.kind in "fV"
            and all(step == 1 for name in ("base_dilation", "window_dilation")
                    for step in made.params[name]))


def _counts(counted: Equation, made: Equation) -> bool:
    """Whether the windows of `made` are also laid over ones."""
    ones = counted.inputs[0].constant
    return (ones is not None and bool(np.all(ones == 1)) and _same_windows(counted, made)
            and all(size == other or window == 1 for size, other, window in zip(
                counted.inputs[0].shape, made.inputs[0].shape,
                made.params["window_dimensions"], strict=True)))


def _padding(made: Equation) -> str:
    """AvgPool leaves out only the padding that it makes itself."""
    params = made.params
    return padding_name(made.inputs[0].shape, made.output.shape, params["window_dimensions"],
                        params["window_strides"], params["padding"])


def _same_windows(counted: Equation, made: Equation) -> bool:
    names = ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation")
    return all(counted.params[name] == made.params[name] for name in names)
