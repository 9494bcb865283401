"""Calls of ops in TensorFlow and here: what they give, and the gradients by all they take.

All calls of a test are nodes of one graph, which is compiled once.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from execution_judge import relative_error
from op_templates import Call, Known
from random_graphs import RandomGraph

from pipeline import execution


def assert_calls_agree(
    tf: ModuleType, calls: Sequence[Call], *, gradient: bool = True, fold: bool = False,
    tolerance: float = 1e-5,
) -> None:
    """The outputs, fed or (with `fold`) known, and the gradients of their weighted sums.

    A call's `defined` is how many outputs it has, one if it says nothing. Inputs that TensorFlow
    has no gradient by must get zeros.
    """
    made, owners = RandomGraph(), []
    for place, call in enumerate(calls):
        made.add(_known(call) if fold else call, f"n{place}")
        owners += [(place, index) for index in range(call.defined or 1)]
    fetches = [f"n{place}:{index}" for place, index in owners]
    by = [name for name, value in made.feeds.items() if value.dtype.kind == "f"] \
        if gradient else []
    values, weights, gradients = _in_tensorflow(tf, made, fetches, by)
    function = execution.function(made.graph_def, list(made.feeds), fetches)
    for (place, index), ours, theirs in zip(
            owners, function(*made.feeds.values()), values, strict=True):
        _compare(f"{calls[place]}: output {index}", np.asarray(ours), theirs, tolerance)
    if by:
        for name, found, right in zip(by, _gradients(function, made, by, weights), gradients,
                                      strict=True):
            call = calls[int(name.partition("/")[0][1:])]
            error = relative_error(found, right)
            assert error <= max(tolerance, 2e-5), \
                f"{call}: gradient by {name}: {error}\n{found}\n{right}"


def _known(call: Call) -> Call:
    return Call(call.op, [each if isinstance(each, Known) else Known(np.asarray(each))
                          for each in call.inputs], call.attrs)


def _compare(where: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    if theirs.dtype.kind == "S":    # a scalar of TensorFlow's
        assert ours.item() == theirs.item(), where
        return
    assert ours.dtype.kind == theirs.dtype.kind, f"{where} is {ours.dtype}"
    if theirs.dtype == object:
        assert ours.tolist() == theirs.tolist(), where
        return
    error = relative_error(ours, theirs)
    assert error <= tolerance, f"{where}: {error}\n{ours}\n{theirs}"


def _in_tensorflow(
    tf: ModuleType, made: RandomGraph, fetches: list[str], by: list[str]
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Values, weights for those that are floats, and gradients by some inputs."""
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
            if not by or not weights:
                return values, weights, [np.zeros_like(made.feeds[name]) for name in by]
            found = tf1.gradients([each for each in tensors if each.dtype.is_floating],
                                  [graph.get_tensor_by_name(f"{name}:0") for name in by], weights)
            return values, weights, session.run(
                [tf.zeros_like(graph.get_tensor_by_name(f"{name}:0")) if each is None
                 else tf.convert_to_tensor(each) for name, each in zip(by, found, strict=True)],
                feed)


def _gradients(
    function: Any, made: RandomGraph, by: list[str], weights: list[np.ndarray]
) -> list[Any]:
    def part(*values: Any) -> list[Any]:
        fed = {**made.feeds, **dict(zip(by, values, strict=True))}
        return [each for each in function(*fed.values()) if each.dtype.kind == "f"]

    _, back = jax.vjp(part, *(made.feeds[name] for name in by))
    return list(back([jnp.asarray(each) for each in weights]))
