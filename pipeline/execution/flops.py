"""Multiplications and additions of a graph for a batch, from shapes alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
from google.protobuf.message import Message

from pipeline.errors import PipelineError
from pipeline.execution.abstract import prepare
from pipeline.execution.ends import End


class Cost(NamedTuple):
    """How many floating point operations; None where that cannot be told, and why."""

    flops: int | None
    unknown: str = ""


def count_flops(
    graph_def: Message, inputs: Sequence[End], outputs: Sequence[End], batch: int
) -> Cost:
    """Two for each multiply-add of matrix products and convolutions, nothing for the rest.

    Args:
        graph_def: frozen, or with variables, whose values are not needed.
        inputs: what is fed; their shapes must be known but for the first dimension.
        outputs: what is wanted of it.
        batch: the size of a first dimension that is not known.
    """
    shapeless = [each.name for each in inputs if each.shape is None]
    try:
        made, arguments = prepare(graph_def, inputs, [each.name for each in outputs], batch)
        return Cost(_of_jaxpr(jax.make_jaxpr(made)(*arguments).jaxpr))
    except (PipelineError, TypeError, NotImplementedError) as error:
        if shapeless:
            return Cost(None, f"{', '.join(shapeless)}: no shape is said")
        return Cost(None, str(error).partition("\n")[0])


def _of_jaxpr(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            total += _of_product(equation)
        elif equation.primitive.name == "conv_general_dilated":
            total += _of_convolution(equation)
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        total += repeats * sum(map(_of_jaxpr, _inner(equation)))
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
