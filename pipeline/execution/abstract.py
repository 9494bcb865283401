"""A graph without values: what its tensors' shapes follow from those of its inputs."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, NamedTuple

import jax
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.errors import PipelineError
from pipeline.execution.analysis import Analysis, specs_of
from pipeline.execution.compiled import check_depth
from pipeline.execution.ends import End
from pipeline.execution.flops import count_jaxpr
from pipeline.execution.imported import Graph
from pipeline.execution.importing import import_graph_def
from pipeline.execution.values import Known, jax_dtype
from pipeline.graph.tensors import Shape

_NO_ARRAY = {dtypes.NUMBER["STRING"], dtypes.DT_RESOURCE, dtypes.DT_VARIANT}


class Cost(NamedTuple):
    """How many floating point operations; None where that cannot be told, and why."""

    flops: int | None
    unknown: str = ""


def trace(
    graph_def: Message, inputs: Sequence[End], outputs: Sequence[str], batch: int
) -> tuple[Any, list[Any]]:
    """The jaxpr from variables, constants and inputs to outputs, and these as abstract values.

    No value is made: neither constants nor what follows from them is expanded. A call of a function
    is one equation, `called`.

    Args:
        graph_def: frozen, or with variables.
        inputs: what is fed; their shapes must be known but for the first dimension.
        outputs: names of tensors.
        batch: the size of a first dimension that is not known.

    Raises:
        PipelineError: the graph can't be executed.
        TypeError: a shape or dtype is not known.
        RecursionError: it nests loops and branches too deeply.
    """
    specs = [_spec(each.name, each.shape, each.dtype, batch) for each in inputs]
    imported = import_graph_def(graph_def, name="")
    refs = [imported.get_tensor_by_name(_tensor_name(each.name)).ref for each in inputs]
    program = imported.compile(
        refs, [imported.get_tensor_by_name(_tensor_name(name)).ref for name in outputs])
    check_depth(program)
    for ref, spec in zip(refs, specs, strict=True):
        imported.input_of(ref).check_shape(spec.shape)
    variables = {name: _spec(name, *_declared(imported, name), batch)
                 for name in program.variables}
    return Analysis(count_jaxpr).jaxpr(program, specs_of(program.constants), variables, specs)


def _tensor_name(name: str) -> str:
    return name if ":" in name else f"{name}:0"


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
        made, _ = trace(graph_def, inputs, [each.name for each in outputs], batch)
        return Cost(count_jaxpr(made.jaxpr))
    except RecursionError:
        return Cost(None, "graph nests loops and branches too deeply")
    except (PipelineError, TypeError, NotImplementedError) as error:
        if shapeless:
            return Cost(None, f"{', '.join(shapeless)}: no shape is said")
        return Cost(None, str(error).partition("\n")[0])


def tensor_shapes(
    graph_def: Message, inputs: Sequence[End], outputs: Sequence[str]
) -> dict[str, Shape]:
    """The shape of the first output of every node that the outputs follow from, by node.

    The graph is run abstractly on two sizes of batch: what differs depends on the batch, and is
    None. What follows from an input whose shape is not said is left out; empty where the graph
    can't be executed.
    """
    told = [each for each in inputs if each.shape is not None]
    untold = {graph.parse_ref(each.name).node for each in inputs if each.shape is None}
    wanted = _before(graph_def, outputs, untold)
    try:
        found = [_shapes(graph_def, told, wanted, batch) for batch in (2, 3)]
    except (PipelineError, TypeError, NotImplementedError, RecursionError):
        return {}
    return {
        name: tuple(a if a == b else None for a, b in zip(two, three, strict=True))
        for name, two, three in zip(wanted, *found, strict=True) if len(two) == len(three)
    }


def _shapes(
    graph_def: Message, inputs: Sequence[End], wanted: Sequence[str], batch: int
) -> list[tuple[int, ...]]:
    _, found = trace(graph_def, inputs, wanted, batch)
    return [tuple(each.value.shape if isinstance(each, Known) else each.shape) for each in found]


def _before(graph_def: Message, outputs: Sequence[str], untold: Set[str]) -> list[str]:
    """The nodes that give arrays on the way to some tensors, in the order of the graph."""
    sources = graph.sources_of(graph_def.node)
    needed = graph.closure([graph.parse_ref(name).node for name in outputs], sources)
    users: dict[str, set[str]] = {}
    for name, taken in sources.items():
        for source in taken:
            users.setdefault(source, set()).add(name)
    needed -= graph.closure(untold, users)
    return [node.name for node in graph_def.node
            if node.name in needed and node.op not in ("Const", "NoOp") and _gives_array(node)]


def _gives_array(node: Message) -> bool:
    if graph.has_op_def(node.op) and not graph.signature(node.op).outputs:
        return False
    numbers = graph.output_numbers(node)
    return not numbers or numbers[0] not in _NO_ARRAY


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
