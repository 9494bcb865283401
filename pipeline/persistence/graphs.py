"""A network in inference form as the graphs that targets write."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from google.protobuf.message import Message

from pipeline import graph, lowering
from pipeline.config.persistence import GraphNames
from pipeline.graph import VariableDeclaration
from pipeline.model import Network, Variables
from pipeline.scopes import VariableSpec, initializers

Outputs = tuple[jax.Array, jax.Array]


def build_frozen_graph(
    names: GraphNames, network: Network, variables: Variables, *, output_shapes: bool = False
) -> Message:
    """A GraphDef with the variables as constants: images → logits and probabilities.

    The input is float32 [batch, *input_shape], grey levels as 0..1, with any batch size.
    """
    return lowering.freeze(
        inference(network),
        variables,
        _inputs(names, network),
        outputs=(names.logits, names.output),
        opset=names.opset,
        output_shapes=output_shapes,
    )


def constants_by_name(graph_def: Message) -> dict[str, Any]:
    """A frozen graph's constants, variables that its products want turned as they were."""
    found = {node.name: graph.decode_tensor(node.attr["value"].tensor)
             for node in graph_def.node if node.op == "Const"}
    turned = {name.removesuffix("/transpose"): value.T for name, value in found.items()
              if name.endswith("/transpose") and value.ndim == 2}    # see lowering.freeze
    return {**turned, **found}


def build_meta_graph(
    names: GraphNames, network: Network, *, resource: bool = False, max_to_keep: int = 5,
    keep_checkpoint_every_n_hours: float = 10000.0,
) -> Message:
    """A MetaGraphDef that initialises, restores and runs the network under TensorFlow.

    Args:
        names: of its inputs and outputs, and its op set.
        network: the model; every variable begins as its scope declares.
        resource: resource variables instead of TF1's reference variables.
        max_to_keep: of the Saver it describes.
        keep_checkpoint_every_n_hours: of that, too.
    """
    return lowering.export_meta_graph(
        inference(network),
        declare(network.specs.values(), lambda: network.init(0)),
        _inputs(names, network),
        outputs=(names.logits, names.output),
        opset=names.opset,
        resource=resource,
        saver={"max_to_keep": max_to_keep,
               "keep_checkpoint_every_n_hours": keep_checkpoint_every_n_hours},
    )


def inference(network: Network) -> Callable[[Variables, jax.Array], Outputs]:
    """What every target computes: `(variables, images)` → logits and probabilities."""
    def function(variables: Variables, images: jax.Array) -> Outputs:
        logits, _ = network.apply(variables, images)
        return logits, jax.nn.softmax(logits)

    return function


def _inputs(names: GraphNames, network: Network) -> dict[str, jax.ShapeDtypeStruct]:
    return {names.input: jax.ShapeDtypeStruct((None, *network.input_shape), jnp.float32)}


def declare(
    specs: Iterable[VariableSpec], values: Callable[[], Mapping[str, Any]]
) -> list[VariableDeclaration]:
    """Variables made by scopes, as `lowering.export_meta_graph` takes them.

    Args:
        specs: of a network, or `store.specs().values()`.
        values: gives arrays by name; called when an initializer is none of ours, such as one inside
            a user's module: no graph can hold a function, and the variable begins with its value.
    """
    values = functools.cache(values)

    def beginning(spec: VariableSpec) -> dict[str, Any]:
        ours = _initializer(spec)
        return ours or {"kind": "value", "value": np.asarray(values()[spec.name])}

    return [VariableDeclaration(spec.name, spec.shape, spec.dtype, spec.trainable,
                                spec.collections, beginning(spec)) for spec in specs]


def _initializer(spec: VariableSpec) -> dict[str, Any] | None:
    """One of ours in the graph room's words, None for any other."""
    ours = type(spec.initializer).__module__ == initializers.__name__
    if not (ours and dataclasses.is_dataclass(spec.initializer)):
        return None
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(spec.initializer).__name__).lower()
    return {"kind": kind, **vars(spec.initializer)}
