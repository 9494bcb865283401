"""Multiplications and additions of a graph for a batch, from shapes alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
from google.protobuf.message import Message

from pipeline import dtypes
from pipeline.errors import PipelineError
from pipeline.execution.function import function
from pipeline.execution.values import jax_dtype

if TYPE_CHECKING:
    from pipeline.execution.describe import End


def count_flops(
    graph_def: Message, inputs: Sequence[End], outputs: Sequence[End], batch: int
) -> int | None:
    """Two for each multiply-add of matrix products and convolutions, nothing for the rest.

    None where the graph does not run here, has variables, or an input's shape is not known.
    """
    specs = []
    for each in inputs:
        shape = each.shape
        if shape is None or None in shape[1:]:
            return None
        sizes = tuple(batch if size is None else size for size in shape)
        try:
            number = dtypes.NUMBER[each.dtype.removeprefix("DT_")]
            specs.append(jax.ShapeDtypeStruct(sizes, jax_dtype(number)))
        except (KeyError, TypeError):
            return None
    try:
        made = function(graph_def, [each.name for each in inputs],
                        [each.name for each in outputs])
        constants = {name: jax.ShapeDtypeStruct(value.shape, value.dtype)
                     for name, value in made.constants.items()}
        traced = jax.make_jaxpr(made.apply)(constants, *specs)
    except (PipelineError, TypeError, NotImplementedError):
        return None
    return _of_jaxpr(traced.jaxpr)


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
