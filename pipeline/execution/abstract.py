"""A graph without values: what its tensors' shapes follow from those of its inputs."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

import jax
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.errors import PipelineError
from pipeline.execution.ends import End
from pipeline.execution.graph_function import GraphFunction
from pipeline.execution.imported import Graph
from pipeline.execution.importing import import_graph_def
from pipeline.execution.values import jax_dtype
from pipeline.graph.tensors import Shape

_NO_ARRAY = {dtypes.NUMBER["STRING"], dtypes.DT_RESOURCE, dtypes.DT_VARIANT}


def prepare(
    graph_def: Message, inputs: Sequence[End], outputs: Sequence[str], batch: int
) -> tuple[GraphFunction, list[Any]]:
    """A function of variables and inputs, and what stands for these in an abstract call of it.

    Args:
        graph_def: frozen, or with variables.
        inputs: what is fed; their shapes must be known but for the first dimension.
        outputs: names of tensors.
        batch: the size of a first dimension that is not known.

    Raises:
        PipelineError: the graph can't be executed.
        TypeError: a shape or dtype is not known.
    """
    specs = [_spec(each.name, each.shape, each.dtype, batch) for each in inputs]
    imported = import_graph_def(graph_def, name="")
    made = imported.function([each.name for each in inputs], outputs)
    variables = {name: _spec(name, *_declared(imported, name), batch) for name in made.variables}
    return made, [variables, *specs]


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
    except (PipelineError, TypeError, NotImplementedError):
        return {}
    return {
        name: tuple(a if a == b else None for a, b in zip(two, three, strict=True))
        for name, two, three in zip(wanted, *found, strict=True) if len(two) == len(three)
    }


def _shapes(
    graph_def: Message, inputs: Sequence[End], wanted: Sequence[str], batch: int
) -> list[tuple[int, ...]]:
    made, arguments = prepare(graph_def, inputs, wanted, batch)
    return [tuple(output.shape) for output in jax.eval_shape(made, *arguments)]


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
