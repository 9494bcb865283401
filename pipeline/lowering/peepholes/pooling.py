"""Averages over windows: a sum over windows divided by how many elements each has."""

from __future__ import annotations

import math

import numpy as np

from pipeline.lowering.ir import Equation, Value
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


# what is nowhere negative, whatever goes in
_POSITIVE = ("nn.relu", "nn.relu6", "logistic", "exp", "abs", "square", "sqrt", "nn.softmax",
             "nn.softplus", "exp2")
# what is nowhere negative if none of its operands is
_KEEPING = ("add", "mul", "max", "reshape", "transpose", "squeeze", "broadcast_in_dim", "slice",
            "concatenate", "reduce_max", "reduce_sum", "nn.mean", "nn.avg_pool",
            "reduce_window_sum", "reduce_window_max", "copy_value", "rev")


@peephole("reduce_window_max")
def _max_of_positive(matcher: Matcher, equation: Equation) -> Found:
    """0 around what is nowhere negative is as good as -inf, and known to more readers."""
    params = equation.params
    alone = any(isinstance(low, int) and isinstance(high, int) and max(low, high) >= size
                for (low, high), size in zip(params["padding"], params["window_dimensions"],
                                             strict=True))
    if alone or not _is_positive(matcher, equation.inputs[0]):
        return None
    return "reduce_window_max", equation.inputs, {**params, "outside": 0}


def _is_positive(matcher: Matcher, value: Value, steps: int = 8) -> bool:
    """Whether a value is surely nowhere below 0, as far as so many steps back tell."""
    if matcher.made_by(value, *_POSITIVE):
        return True
    number = matcher.number(value)
    if number is not None:
        return number >= 0
    made = matcher.made_by(value, *_KEEPING)
    return made is not None and steps > 0 and all(
        _is_positive(matcher, each, steps - 1) for each in made.inputs)


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
