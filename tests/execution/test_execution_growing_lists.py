"""TensorArrays of `dynamic_size`: there is room for whatever is written."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from execution_judge import assert_agrees, ours

from pipeline import execution

X = np.arange(12, dtype=np.float32).reshape(3, 4) / 5


def filled(tf: ModuleType, x: Any, size: int = 0, rows: Any = 3) -> Any:
    array = tf.TensorArray(tf.float32, size=size, dynamic_size=True, element_shape=[4])
    return tf.while_loop(
        lambda i, a: i < rows, lambda i, a: (i + 1, a.write(i, x[i] * 2.0)), [0, array])[1]


def in_a_loop(tf: ModuleType, x: Any) -> Any:
    return filled(tf, x).stack()


def beyond_its_size(tf: ModuleType, x: Any) -> Any:
    """The first rows lie within the list as it was made; the last is a hole that stays zero."""
    return filled(tf, x, size=2).write(4, x[0]).stack()


def one_by_one(tf: ModuleType, x: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=1, dynamic_size=True)
    return array.write(0, x[0]).write(1, x[2]).write(2, x[1]).stack()


def scattered(tf: ModuleType, x: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[4])
    return array.scatter([0, 2, 1], x).stack()


MAKERS = [in_a_loop, beyond_its_size, one_by_one, scattered]


@pytest.mark.parametrize("make", MAKERS)
def test_lists_grow(control: ModuleType, make: Callable[[ModuleType, Any], Any]) -> None:
    x = control.placeholder(control.float32, [3, 4], name="x")
    control.identity(make(control, x), name="result")
    graph_def = control.get_default_graph().as_graph_def()
    assert_agrees(control, graph_def, ["result"], {"x": X})


def test_how_far_must_be_known_inside_jit(control: ModuleType) -> None:
    """Otherwise what is written beyond the end would be lost in silence."""
    x = control.placeholder(control.float32, [3, 4], name="x")
    rows = control.placeholder(control.int32, [], name="rows")
    control.identity(filled(control, x, rows=rows).stack(), name="result")
    graph_def = ours(control.get_default_graph().as_graph_def())
    with pytest.raises(execution.ExecutionError, match="grows at a position that is computed"):
        jax.jit(execution.function(graph_def, ["x", "rows"], ["result"]))(X, np.int32(3))
    (found,) = execution.function(graph_def, ["x"], ["result"], given={"rows": 3})(X)
    np.testing.assert_array_equal(found, X * 2)


def test_lists_that_do_not_grow_refuse(control: ModuleType) -> None:
    x = control.placeholder(control.float32, [3, 4], name="x")
    array = control.TensorArray(control.float32, size=1, element_shape=[4])
    control.identity(array.write(3, x[0]).stack(), name="result")
    graph_def = ours(control.get_default_graph().as_graph_def())
    with pytest.raises(execution.ExecutionError, match="index 3 in a list of 1 elements"):
        execution.function(graph_def, ["x"], ["result"])(X)
