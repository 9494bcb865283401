"""Gradients that a graph says itself: of calls, of `tf.custom_gradient`; and what has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from pipeline.execution.custom_gradients import CUSTOM_GRADIENT, bar, with_gradient
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import Handle, is_static, to_jax


@rule("PreventGradient", attrs="message", folds=True)
def _prevent_gradient(node: Node, x: Any) -> Any:
    """Source: tensorflow/python/ops/array_grad.py, `_PreventGradientGrad`."""
    said = f": {node['message']}" if node["message"] else ""
    return bar([x], [x], f"PreventGradient node {node.name!r}: a gradient was asked for and is "
                         f"not defined{said}")


@rule(CUSTOM_GRADIENT, attrs="gradient count places", takes_run=True)
def _custom_gradient(node: Node, run: Run, *values: Any) -> Any:
    """Passes its first `count` inputs on; the gradient function takes the rest as well."""
    count = node["count"]
    if all(map(is_static, values[:count])):
        return values[:count]

    handles = [value for value in values[count:] if isinstance(value, Handle)]

    def backward(state: Any, values: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        rest, named = iter(values[count:]), iter(handles)
        captured = [next(named) if is_handle else next(rest) for is_handle in of_handles]
        found = node["gradient"].run(_with_state(run, state), [*gradients, *captured])
        return _placed(found, node["places"], len(values))

    of_handles = [isinstance(value, Handle) for value in values[count:]]
    arrays = [to_jax(value) for value in values if not isinstance(value, Handle)]
    return with_gradient(lambda _, *values: values[:count], backward, arrays, _state(run))


def call_with_gradient(node: Node, run: Run, values: Sequence[Any]) -> Any:
    """A call of a function whose library names another one as its gradient."""
    def forward(state: Any, *values: Any) -> list[Any]:
        return [to_jax(each) for each in node["f"].run(_with_state(run, state), values)]

    def backward(state: Any, values: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        return list(node["gradient"].run(_with_state(run, state), [*values, *gradients]))

    return with_gradient(forward, backward, values, _state(run))


def _placed(found: Sequence[Any], places: Sequence[int], count: int) -> list[Any]:
    placed = dict(zip(places, found, strict=True))
    return [placed.get(index) for index in range(count)]


def _state(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of a run: what a gradient that is traced later may not close over."""
    return ({name: value for name, value in run.constants.items() if _is_array(value)},
            {name: value for name, value in run.variables.items() if _is_array(value)})


def _with_state(run: Run, state: Any) -> Run:
    constants, variables = state
    return replace(run, constants={**run.constants, **constants},
                   variables={**run.variables, **variables}, key=None)


def _is_array(value: Any) -> bool:
    return isinstance(value, jax.Array) or (
        isinstance(value, np.ndarray) and value.dtype != np.object_)
