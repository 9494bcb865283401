"""A network in inference form as the graphs that targets write."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from google.protobuf.message import Message

from pipeline import lowering
from pipeline.config.persistence import GraphNames
from pipeline.graph import VariableDeclaration
from pipeline.model import Network, Variables
from pipeline.scopes import VariableSpec, initializers

Outputs = tuple[jax.Array, jax.Array]


def build_frozen_graph(names: GraphNames, network: Network, variables: Variables) -> Message:
    """A GraphDef with the variables as constants: images → logits and probabilities.

    The input is float32 [batch, *input_shape], grey levels as 0..1, with any batch size.
    """
    return lowering.freeze(
        _inference(network),
        variables,
        _inputs(names, network),
        outputs=(names.logits, names.output),
        opset=names.opset,
    )


def build_meta_graph(
    names: GraphNames, network: Network, *, resource: bool = False, max_to_keep: int = 5
) -> Message:
    """A MetaGraphDef that initialises, restores and runs the network under TensorFlow.

    Args:
        names: of its inputs and outputs, and its op set.
        network: the model; every variable begins as its scope declares.
        resource: resource variables instead of TF1's reference variables.
        max_to_keep: of the Saver it describes.
    """
    return lowering.export_meta_graph(
        _inference(network),
        [_declaration(spec, network) for spec in network.specs.values()],
        _inputs(names, network),
        outputs=(names.logits, names.output),
        opset=names.opset,
        resource=resource,
        saver={"max_to_keep": max_to_keep},
    )


def _inference(network: Network) -> Callable[[Variables, jax.Array], Outputs]:
    def inference(variables: Variables, images: jax.Array) -> Outputs:
        logits, _ = network.apply(variables, images)
        return logits, jax.nn.softmax(logits)

    return inference


def _inputs(names: GraphNames, network: Network) -> dict[str, jax.ShapeDtypeStruct]:
    return {names.input: jax.ShapeDtypeStruct((None, *network.input_shape), jnp.float32)}


def _declaration(spec: VariableSpec, network: Network) -> VariableDeclaration:
    return VariableDeclaration(
        name=spec.name,
        shape=spec.shape,
        dtype=spec.dtype,
        trainable=spec.trainable,
        collections=spec.collections,
        initializer=_initializer(spec, network),
    )


def _initializer(spec: VariableSpec, network: Network) -> dict[str, Any]:
    """How the variable begins, in the graph room's words.

    An initializer that is none of ours, such as one inside a user's module, is a function that no
    graph can hold; the variable then begins with what that function gives for seed 0.
    """
    ours = type(spec.initializer).__module__ == initializers.__name__
    if ours and dataclasses.is_dataclass(spec.initializer):
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(spec.initializer).__name__).lower()
        return {"kind": kind, **vars(spec.initializer)}
    return {"kind": "value", "value": np.asarray(network.init(0)[spec.name])}
