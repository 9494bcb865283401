"""Multiplications and additions of a graph for a batch, from shapes alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.errors import PipelineError
from pipeline.execution.imported import Graph
from pipeline.execution.importing import import_graph_def
from pipeline.execution.values import jax_dtype
from pipeline.graph.tensors import Shape

if TYPE_CHECKING:
    from pipeline.execution.describe import End


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
        specs = [_spec(each.name, each.shape, each.dtype, batch) for each in inputs]
        imported = import_graph_def(graph_def, name="")
        made = imported.function([each.name for each in inputs], [each.name for each in outputs])
        variables = {name: _spec(name, *_declared(imported, name), batch)
                     for name in made.variables}
        return Cost(_of_jaxpr(jax.make_jaxpr(made)(variables, *specs).jaxpr))
    except (PipelineError, TypeError, NotImplementedError) as error:
        if shapeless:
            return Cost(None, f"{', '.join(shapeless)}: no shape is said")
        return Cost(None, str(error).partition("\n")[0])


def _declared(imported: Graph, name: str) -> tuple[Shape | None, str]:
    attrs = graph.read_attrs(imported.variables[name].node_def)
    return attrs.get("shape"), dtypes.name(attrs["dtype"])


def _spec(name: str, shape: Shape | None, dtype: str, batch: int) -> jax.ShapeDtypeStruct:
    """What stands for a tensor whose values nobody knows.

    Where no shape is said it is taken for a scalar, as old graphs' `keep_prob` is: whatever is
    multiplied by a matrix then fails.

    Raises:
        TypeError: its shape or dtype are not known.
    """
    if None in (shape or ())[1:]:
        raise TypeError(f"{name}: only its first dimension may be unknown")
    if dtype.removeprefix("DT_") not in dtypes.NUMBER:
        raise TypeError(f"{name}: no dtype is said")
    sizes = tuple(batch if size is None else size for size in shape or ())
    return jax.ShapeDtypeStruct(sizes, jax_dtype(dtypes.NUMBER[dtype.removeprefix("DT_")]))


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
