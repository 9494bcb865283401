"""One call of an op in TensorFlow and here: what it gives, and its gradient by all it takes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from execution_judge import relative_error
from op_templates import Call, Known
from random_graphs import RandomGraph

from pipeline import execution


def assert_call_agrees(
    tf: ModuleType, call: Call, outputs: int = 1, *, gradient: bool = True, fold: bool = False,
    tolerance: float = 1e-5,
) -> None:
    """The outputs, fed and (with `fold`) known, and the gradient of their weighted sum.

    Inputs that TensorFlow has no gradient by must get zeros.
    """
    made = RandomGraph()
    made.add(call, "n")
    fetches = [f"n:{index}" for index in range(outputs)]
    values, weights, gradients = _in_tensorflow(tf, made, fetches, gradient)
    function = execution.function(made.graph_def, list(made.feeds), fetches)
    _compare(call, function(*made.feeds.values()), values, tolerance)
    if fold:
        known = RandomGraph()
        known.add(Call(call.op, [each if isinstance(each, Known) else Known(np.asarray(each))
                                 for each in call.inputs], call.attrs), "n")
        _compare(call, execution.function(known.graph_def, [], fetches)(), values, tolerance)
    if gradients:
        for name, found, right in zip(gradients, _gradients(function, made, gradients, weights),
                                      gradients.values(), strict=True):
            error = relative_error(found, right)
            assert error <= max(tolerance, 2e-5), f"{call}: gradient by {name}: {error}\n{found}"


def _compare(call: Call, found: Any, values: list[np.ndarray], tolerance: float) -> None:
    for index, (ours, theirs) in enumerate(zip(found, values, strict=True)):
        ours = np.asarray(ours)
        assert ours.dtype.kind == theirs.dtype.kind, f"{call}: output {index} is {ours.dtype}"
        if theirs.dtype == object:
            assert ours.tolist() == theirs.tolist(), call
            continue
        error = relative_error(ours, theirs)
        assert error <= tolerance, f"{call}: output {index}: {error}\n{ours}\n{theirs}"


def _in_tensorflow(
    tf: ModuleType, made: RandomGraph, fetches: list[str], gradient: bool
) -> tuple[list[np.ndarray], list[np.ndarray], dict[str, np.ndarray]]:
    """Values, weights for those that are floats, and gradients by the inputs that are."""
    tf1 = tf.compat.v1
    with tf1.Graph().as_default() as graph:
        tf1.import_graph_def(
            tf1.GraphDef.FromString(made.graph_def.SerializeToString()), name="")
        tensors = [graph.get_tensor_by_name(name) for name in fetches]
        feed = {f"{name}:0": value for name, value in made.feeds.items()}
        with tf1.Session(graph=graph) as session:
            values = [np.asarray(each) for each in session.run(tensors, feed)]
            rng = np.random.default_rng(0)
            weights = [rng.normal(size=each.shape).astype(each.dtype)
                       for each in values if each.dtype.kind == "f"]
            by = [name for name, value in made.feeds.items() if value.dtype.kind == "f"]
            if not gradient or not by or not weights:
                return values, weights, {}
            found = tf1.gradients([each for each in tensors if each.dtype.is_floating],
                                  [graph.get_tensor_by_name(f"{name}:0") for name in by], weights)
            return values, weights, {
                name: np.zeros_like(made.feeds[name]) if each is None
                else session.run(tf.convert_to_tensor(each), feed)
                for name, each in zip(by, found, strict=True)}


def _gradients(
    function: Any, made: RandomGraph, by: dict[str, np.ndarray], weights: list[np.ndarray]
) -> list[Any]:
    def part(*values: Any) -> list[Any]:
        fed = {**made.feeds, **dict(zip(by, values, strict=True))}
        return [each for each in function(*fed.values()) if each.dtype.kind == "f"]

    _, back = jax.vjp(part, *(made.feeds[name] for name in by))
    return list(back([jnp.asarray(each) for each in weights]))
