"""Loops over the rows of a batch, when the batch has none."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from execution_judge import assert_agrees, ours, relative_error
from jax import lax

from pipeline import execution
from pipeline.lowering import freeze

Make = Callable[[ModuleType, Any], Any]


def mapped(tf: ModuleType, x: Any) -> Any:
    return tf.map_fn(tf.nn.softmax, x)


def scanned(tf: ModuleType, x: Any) -> Any:
    return tf.scan(lambda before, row: before * 0.5 + row, x, tf.zeros([4]))


def folded(tf: ModuleType, x: Any) -> Any:
    return tf.foldl(lambda total, row: total + row, x, tf.ones([4]))


def turned(tf: ModuleType, x: Any) -> Any:
    """Rows by running slices; only the body tells the shape of the array's elements."""
    rows = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=rows)
    _, array = tf.while_loop(
        lambda i, a: i < rows, lambda i, a: (i + 1, a.write(rows - 1 - i, x[i] * 2.0)), [0, array])
    return array.stack()


def ended_by_values(tf: ModuleType, x: Any) -> Any:
    """How often it runs is not known before."""
    rows = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=rows, element_shape=[4]).unstack(x)
    return tf.while_loop(
        lambda i, total: tf.logical_and(i < rows, tf.reduce_sum(total) < 100.0),
        lambda i, total: (i + 1, total + array.read(i)), [0, tf.reduce_sum(x, 0)])[1]


def first_row(tf: ModuleType, x: Any) -> Any:
    """A body that cannot be run on no rows at all."""
    rows = tf.shape(x)[0]
    return tf.while_loop(lambda i, total: i < rows, lambda i, total: (i + 1, total + x[0]),
                         [0, tf.ones([4])])[1]


@pytest.mark.parametrize("make", [mapped, scanned, folded, turned, ended_by_values, first_row])
@pytest.mark.parametrize("rows", [0, 3])
def test_as_tensorflow_gives_it(control: ModuleType, make: Make, rows: int) -> None:
    x = control.placeholder(control.float32, [None, 4], name="x")
    control.identity(make(control, x), name="result")
    feed = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4) / 7
    assert_agrees(control, control.get_default_graph().as_graph_def(), ["result"], {"x": feed})


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("rows", [0, 3])
def test_a_lowered_scan_and_its_gradient(
    tf1_graph: ModuleType, reverse: bool, rows: int
) -> None:
    def function(x: Any) -> Any:
        return lax.scan(lambda c, row: (c * row + 0.5, c + 1.0), jnp.ones(4), x, reverse=reverse)

    inputs = {"x": jax.ShapeDtypeStruct((None, 4), np.float32)}
    graph_def = freeze(lambda _, x: function(x), {}, inputs, outputs=["last", "every"])
    x = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4) / 7
    assert_agrees(tf1_graph, graph_def, ["last", "every"], {"x": x})
    run = execution.function(ours(graph_def), ["x"], ["last", "every"])
    right, found = (jax.jit(jax.grad(lambda x, f=f: f(x)[0].sum()))(x) for f in (function, run))
    assert relative_error(found, right) <= 1e-5
