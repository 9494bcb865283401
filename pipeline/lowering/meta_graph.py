"""A function and its declared variables → a MetaGraph to initialise, restore and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax
import numpy as np
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.graph import GraphVariable, VariableDeclaration
from pipeline.lowering import passes
from pipeline.lowering.errors import LoweringError
from pipeline.lowering.ir import Value
from pipeline.lowering.jaxpr import Traced, trace
from pipeline.lowering.lower import lower
from pipeline.lowering.opset import opset as find_opset

SERVING_DEFAULT = "serving_default"


def export_meta_graph(
    function: Callable[..., Any],
    variables: Sequence[VariableDeclaration],
    inputs: Mapping[str, jax.ShapeDtypeStruct],
    *,
    outputs: Sequence[str],
    opset: Literal["tf1", "modern"] = "tf1",
    form: str | None = None,
    resource: bool = False,
    init: bool = True,
    saver: Mapping[str, Any] | None = None,
    collections: Mapping[str, Sequence[Any]] | None = None,
) -> Message:
    """A MetaGraphDef of `function(variables, *inputs)`: no values, but how each of them begins.

    Args:
        function: as for `freeze`; its variables come as a dict by name.
        variables: in the order in which they are created.
        inputs: as for `freeze`.
        outputs: as for `freeze`; the signature `serving_default` has inputs and outputs by these
            names if there are any inputs.
        opset: as for `freeze`.
        form: whose version of TensorFlow the message follows: `1.2`, `1.9`, `2.21`; that of the
            op set when not given.
        resource: resource variables instead of TF1's reference variables.
        init: with the operation `init` that runs all initializers.
        saver: `max_to_keep` and `keep_checkpoint_every_n_hours` of the Saver it describes.
        collections: others than the variables' own, see `graph.build_meta_graph`.

    Raises:
        LoweringError: as for `freeze`.
        GraphError: an initializer or a collection is not of a known kind; no such form.
    """
    chosen = graph.find_form(form or ("2.21" if find_opset(opset).modern else "1.9"))
    assembly = graph.Assembly(output_shapes=True)
    declared = [graph.add_variable(assembly, each, resource=resource) for each in variables]
    traced = _trace(function, variables, inputs)
    passes.run(traced.program)
    lowered = lower(
        traced, outputs, find_opset(opset), output_shapes=True,
        variables={each.declaration.name: each.read for each in declared},
        reserved=[*(node.name for node in assembly.nodes), *(["init"] if init else [])])
    assembly.nodes.extend(lowered.node)
    if init:
        assembly.add("NoOp", "init", *(f"^{each.assign}" for each in declared))
    saver_def = _add_saver(assembly, declared, chosen, saver or {})
    return graph.build_meta_graph(
        assembly.nodes, chosen, library=lowered.library, variables=declared, saver_def=saver_def,
        collections=collections, signatures=_signatures(traced, outputs))


def _trace(
    function: Callable[..., Any], variables: Sequence[VariableDeclaration],
    inputs: Mapping[str, jax.ShapeDtypeStruct],
) -> Traced:
    shapes = {each.name: np.broadcast_to(np.zeros((), each.dtype), each.shape)
              for each in variables}
    traced = trace(function, shapes, inputs, shapes_only=True)
    for each in variables:
        found = traced.variables[each.name].dtype
        if found != np.dtype(each.dtype):
            raise LoweringError(f"variable {each.name}: declared {np.dtype(each.dtype)}, JAX "
                                f"computes in {found}; turn on jax_enable_x64 or declare {found}")
    return traced


def _add_saver(
    assembly: graph.Assembly, variables: Sequence[GraphVariable], form: graph.Form,
    options: Mapping[str, Any],
) -> Message | None:
    if not variables:
        return None
    return graph.add_saver(assembly, variables, restore_each=form.restore_each,
                           restore_device=form.restore_device, **options)


def _signatures(traced: Traced, outputs: Sequence[str]) -> dict[str, Message]:
    if not traced.inputs:
        return {}
    results = zip(outputs, traced.program.outputs, strict=True)
    return {SERVING_DEFAULT: graph.build_signature(
        {name: _info(name, value) for name, value in traced.inputs.items()},
        {name: _info(name, value) for name, value in results})}


def _info(name: str, value: Value) -> Message:
    shape = [size if isinstance(size, int) else None for size in value.shape]
    return graph.tensor_info(name, shape, dtypes.from_numpy(value.dtype))
