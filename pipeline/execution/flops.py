"""Multiplications and additions of a jaxpr."""

from __future__ import annotations

import math
from typing import Any


def count_jaxpr(jaxpr: Any) -> int:
    """Two for each multiply-add of matrix products and convolutions, nothing for the rest."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            total += _of_product(equation)
        elif equation.primitive.name == "conv_general_dilated":
            total += _of_convolution(equation)
        elif equation.primitive.name == "called":
            total += equation.params["flops"]
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        total += repeats * sum(map(count_jaxpr, _inner(equation)))
    return total


def _inner(equation: Any) -> list[Any]:
    """The jaxprs that an equation runs."""
    listed = [each for value in equation.params.values()
              for each in (value if isinstance(value, (list, tuple)) else [value])]
    found = [getattr(each, "jaxpr", each) for each in listed]
    return [each for each in found if hasattr(each, "eqns")]


def _of_product(equation: Any) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    shared = math.prod(int(left[axis]) for axis in contracted)
    return 2 * shared * math.prod(map(int, equation.outvars[0].aval.shape))


def _of_convolution(equation: Any) -> int:
    filters = equation.invars[1].aval.shape
    places = equation.params["dimension_numbers"].rhs_spec
    taps = math.prod(int(size) for axis, size in enumerate(filters) if axis != places[0])
    return 2 * taps * math.prod(map(int, equation.outvars[0].aval.shape))
