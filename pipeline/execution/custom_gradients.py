"""Gradients that a graph gives a name to: known ones are used, unknown ones refused when asked for.

`tf.custom_gradient` leaves an `IdentityN` of results and arguments with `_gradient_op_type`;
`gradient_override_map` leaves that attribute on any node. A SavedModel has the gradient as a
function, a GraphDef only its name. Sources: tensorflow/python/ops/custom_gradient.py,
tensorflow/python/saved_model/function_deserialization.py (`_gen_gradient_func`),
tensorflow/core/framework/function.proto (`GradientDef`, `RegisteredGradient`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from google.protobuf.message import Message

from pipeline.execution.errors import ExecutionError

ATTRIBUTE = "_gradient_op_type"
CUSTOM_GRADIENT = "\0CustomGradient"
# TensorFlow names the gradient of every call; it is that of what the function does
_CALLS = ("PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall", "RemoteCall",
          "If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase")


class RegisteredGradient(NamedTuple):
    """The function that gives the gradient of a type of nodes.

    It takes a gradient for each input of the node and then `captures`, tensors of the function
    that the node lies in; it gives gradients for the inputs at `places`.
    """

    function: str
    captures: tuple[str, ...]
    places: tuple[int, ...]


class Gradients(NamedTuple):
    """What a function library says of gradients.

    Attributes:
        by_type: by what nodes have as `_gradient_op_type`.
        of_functions: names of gradient functions by the function's own; they take its arguments
            and a gradient for each result, and give one for each argument.
    """

    by_type: Mapping[str, RegisteredGradient]
    of_functions: Mapping[str, str]


NO_GRADIENTS = Gradients({}, {})


def gradients_of(library: Message, objects: Message | None) -> Gradients:
    """The gradients of a FunctionDefLibrary.

    Args:
        library: the FunctionDefLibrary.
        objects: the SavedObjectGraph beside it, which says what registered gradients capture and
            which inputs their results belong to; without one these count as unknown.
    """
    by_type = {}
    for each in library.registered_gradients if objects is not None else ():
        found = _registered(each.gradient_func, objects)
        if found is not None:
            by_type[each.registered_op_type] = found
    return Gradients(by_type, {each.function_name: each.gradient_func
                               for each in library.gradient})


def _registered(name: str, objects: Any) -> RegisteredGradient | None:
    if name not in objects.concrete_functions:
        return None
    function = objects.concrete_functions[name]
    bound = [objects.nodes[place] for place in function.bound_inputs]
    if not all(node.HasField("captured_tensor") for node in bound):
        return None
    output = function.output_signature
    kind = output.WhichOneof("kind")
    if kind not in ("list_value", "tuple_value"):
        return None
    places = tuple(place for place, value in enumerate(getattr(output, kind).values)
                   if value.WhichOneof("kind") != "none_value")
    return RegisteredGradient(name, tuple(node.captured_tensor.name for node in bound), places)


def named_gradient(node: Any) -> str:
    """The type that a NodeDef names for its gradient; "" where that says nothing."""
    if ATTRIBUTE not in node.attr or node.op in _CALLS:
        return ""
    name = node.attr[ATTRIBUTE].s.decode("utf-8", "replace")
    return "" if name == node.op else name


def refusal(op: str, name: str, gradient: str) -> str:
    """What is said when the gradient of a node with an unknown one is asked for."""
    return (f"{op} node {name!r} has the custom gradient {gradient!r}, which only the program that "
            "made the graph knows; to differentiate what the node computes, remove its attribute "
            f"{ATTRIBUTE}; to treat it as a constant, put it among the inputs")


def bar(outputs: Sequence[Any], inputs: Sequence[Any], message: str) -> list[Any]:
    """The outputs of a node, such that a gradient that flows back to its inputs raises."""
    places = [place for place, value in enumerate(outputs) if _is_running(value)]
    passed = _barred(message)([outputs[place] for place in places],
                              [value for value in inputs if _is_running(value)])
    found = list(outputs)
    for place, value in zip(places, passed, strict=True):
        found[place] = value
    return found


def _is_running(value: Any) -> bool:
    return isinstance(value, jax.Array) and bool(jnp.issubdtype(value.dtype, np.inexact))


@cache
def _barred(message: str) -> Callable[[Any, Any], Any]:
    """Reverse mode raises when a gradient arrives, so one that is stopped later does not.

    What is passed on depends on the inputs here even where the op itself has no slope.
    """
    @jax.custom_vjp
    def pass_on(outputs: Any, inputs: Any) -> Any:
        return outputs

    def refuse(kept: None, gradient: Any) -> Any:
        raise ExecutionError(message)

    pass_on.defvjp(lambda outputs, inputs: (outputs, None), refuse)
    return pass_on


def with_gradient(
    forward: Callable[..., Sequence[Any]], backward: Callable[..., Sequence[Any]],
    values: Sequence[Any], others: Any,
) -> tuple[Any, ...]:
    """`forward(others, *values)` with the gradient `backward(others, values, gradients)`.

    Args:
        forward: gives arrays.
        backward: gives a gradient for each of `values`; None is zero.
        values: arrays.
        others: a pytree of what else both look at; nothing flows back to it.
    """
    @jax.custom_vjp
    def call(others: Any, *values: Any) -> Any:
        return tuple(forward(others, *values))

    def keep(others: Any, *values: Any) -> Any:
        return call(others, *values), (others, values)

    def pull(kept: Any, gradients: Any) -> Any:
        others, values = kept
        dense = [jnp.zeros(each.shape, jnp.float32) if each.dtype == jax.dtypes.float0 else each
                 for each in gradients]
        found = backward(others, values, dense)
        return (jax.tree.map(_no_gradient, others),
                *(_no_gradient(value) if each is None or not _is_float(value)
                  else each.astype(value.dtype)
                  for each, value in zip(found, values, strict=True)))

    call.defvjp(keep, pull)
    result: tuple[Any, ...] = call(others, *values)
    return result


def _is_float(value: Any) -> bool:
    return bool(jnp.issubdtype(jnp.asarray(value).dtype, np.inexact))


def _no_gradient(value: Any) -> Any:
    """A zero gradient: of JAX's own type where numbers have none."""
    return jnp.zeros_like(value) if _is_float(value) else np.zeros(
        np.shape(value), jax.dtypes.float0)
