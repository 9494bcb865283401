"""What is fed may shape: slices, sizes, rounds of loops, branches; compiled once for each value."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from execution_judge import ours, relative_error, run_in_tensorflow

from pipeline import execution
from pipeline.execution.by_value import ManyValuesWarning

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
Build = Callable[[ModuleType, Any, Any], Any]


def in_loop(tf: ModuleType, x: Any, n: Any) -> Any:
    return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y + tf.reduce_sum(x[:, i:], 1)),
                         [0, x[:, 0]])[1]


def growing(tf: ModuleType, x: Any, n: Any) -> Any:
    return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.concat([y, x], 0)), [0, x],
                         shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 6])])[1]


def growing_array(tf: ModuleType, x: Any, n: Any) -> Any:
    rows = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[4])
    def body(i: Any, rows: Any) -> Any:
        return i + 1, rows.write(i, tf.sin(x[:, i]))
    return tf.while_loop(lambda i, rows: i < n, body, [0, rows])[1].stack()


def rounds(tf: ModuleType, x: Any, n: Any) -> Any:
    return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.sin(y) + x), [0, x])[1]


def until(tf: ModuleType, x: Any, n: Any) -> Any:
    limit = tf.cast(n, tf.float32) * 20.0
    return tf.while_loop(lambda y: tf.reduce_sum(tf.abs(y)) < limit,
                         lambda y: y * 1.5 + 0.1 * x, [x])[0]


def ragged(tf: ModuleType, x: Any, n: Any) -> Any:
    def outer(i: Any, y: Any) -> Any:
        inner = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, tf.sin(z) + x), [0, y])
        return i + 1, inner[1]
    return tf.while_loop(lambda i, y: i < n, outer, [0, x])[1]


BUILDS: dict[str, Build] = {
    "begin": lambda tf, x, n: x[:, n:],
    "end": lambda tf, x, n: x[:, :n] * 2.0,
    "both": lambda tf, x, n: x[:, n - 1:n + 2],
    "backwards": lambda tf, x, n: x[:, n::-1],
    "computed": lambda tf, x, n: x[:, tf.maximum(n - 2, 0) * 2:],
    "used besides": lambda tf, x, n: x[:, n:] * tf.cast(n, tf.float32),
    "of argmax": lambda tf, x, n: x[:, tf.argmax(x[n]):],
    "slice": lambda tf, x, n: tf.slice(x, [0, n], [-1, -1]),
    "range": lambda tf, x, n: tf.cast(tf.range(n * 2), tf.float32) * x[0, 0],
    "zeros": lambda tf, x, n: tf.zeros([n, 3]) + x[0, 0],
    "reshape": lambda tf, x, n: tf.reshape(tf.tile(x, [n, 1]), [n, -1]),
    "pad": lambda tf, x, n: tf.pad(x, [[n, 0], [0, n]]),
    "tile": lambda tf, x, n: tf.tile(x, [1, n]),
    "axis": lambda tf, x, n: tf.reduce_sum(x, axis=n - n // 2 * 2),
    "concat axis": lambda tf, x, n: tf.concat([x, x], n - n // 2 * 2),
    "depth": lambda tf, x, n: tf.one_hot([0, 1], n) * x[0, 0],
    "k": lambda tf, x, n: tf.nn.top_k(x, n)[0],
    "resize": lambda tf, x, n: tf.image.resize_bilinear(x[None, :, :, None], tf.stack([n * 2, n])),
    "split": lambda tf, x, n: tf.split(x, tf.stack([n, 6 - n]), 1)[1],
    "linspace": lambda tf, x, n: tf.linspace(0.0, 1.0, n) * x[0, 0],
    "eye": lambda tf, x, n: tf.eye(n) * x[0, 0],
    "repeat": lambda tf, x, n: tf.repeat(x, n, axis=0),
    "sequence mask": lambda tf, x, n: x * tf.cast(tf.sequence_mask(n, 6), tf.float32),
    "where": lambda tf, x, n: tf.where(x[0] > tf.cast(n - 2, tf.float32) * 0.2),
    "mask": lambda tf, x, n: tf.boolean_mask(x[0], x[0] > tf.cast(n - 2, tf.float32) * 0.2) * 2.0,
    "unique": lambda tf, x, n: tf.unique(tf.cast(x[n], tf.int32))[0],
    "branch": lambda tf, x, n: tf.cond(n > 1, lambda: x[:, n:], lambda: x),
    "branches' shapes": lambda tf, x, n: tf.cond(n > 1, lambda: x, lambda: tf.transpose(x)),
    "in loop": in_loop, "growing": growing, "growing array": growing_array, "rounds": rounds,
    "until": until, "ragged": ragged,
}
FLOWS = [name for name, build in BUILDS.items()
         if name.startswith("branch") or build.__name__ != "<lambda>"]
WITHOUT_GRADIENT = {"where", "unique", "sequence mask"}


def make(tf: ModuleType, build: Build, *, gradient: bool = False) -> Any:
    x = tf.placeholder(tf.float32, X.shape, name="x")
    n = tf.placeholder(tf.int32, [], name="n")
    y = tf.identity(build(tf, x, n), name="y")
    if gradient:
        tf.identity(tf.gradients(tf.reduce_sum(y * y), x)[0], name="g")
    return tf.get_default_graph().as_graph_def()


@pytest.mark.parametrize("name", BUILDS)
def test_fed_value_shapes_and_every_other_value_too(tf1_graph: ModuleType, name: str) -> None:
    check_forwards(tf1_graph, name)


@pytest.mark.parametrize("name", FLOWS)
def test_fed_value_shapes_in_functions_too(tf1_graph: ModuleType, name: str) -> None:
    tf1_graph.enable_control_flow_v2()
    check_forwards(tf1_graph, name)


def check_forwards(control: ModuleType, name: str) -> None:
    graph_def = make(control, BUILDS[name])
    function = execution.function(ours(graph_def), ["x", "n"], ["y"])
    for n in (2, 1, 2, 2, 1):
        (want,) = run_in_tensorflow(control, graph_def, ["y"], {"x": X, "n": n})
        (found,) = function(X, np.int32(n))
        assert relative_error(found, want) < 1e-5


@pytest.mark.parametrize("name", sorted(BUILDS.keys() - WITHOUT_GRADIENT))
def test_derivative_where_a_fed_value_shapes(tf1_graph: ModuleType, name: str) -> None:
    graph_def = make(tf1_graph, BUILDS[name], gradient=True)
    function = execution.function(ours(graph_def), ["x", "n"], ["y"])
    for n in (2, 1):
        (want,) = run_in_tensorflow(tf1_graph, graph_def, ["g"], {"x": X, "n": n})
        found = jax.grad(lambda x, n=n: (function(x, np.int32(n))[0] ** 2).sum())(X)
        assert relative_error(found, want) < 1e-4


def test_graph_s_own_gradient_of_a_loop_of_fed_length(control: ModuleType) -> None:
    graph_def = make(control, rounds, gradient=True)
    function = execution.function(ours(graph_def), ["x", "n"], ["y", "g"])
    for n in (3, 1, 3, 0, 3):
        want = run_in_tensorflow(control, graph_def, ["y", "g"], {"x": X, "n": n})
        for found, expected in zip(function(X, np.int32(n)), want, strict=True):
            assert relative_error(found, expected) < 1e-5


def test_compilations_are_counted_and_bounded(tf1_graph: ModuleType) -> None:
    graph_def = make(tf1_graph, lambda tf, x, n: x[:, tf.argmax(x[n]):])
    function = execution.function(ours(graph_def), ["x", "n"], ["y"])
    for _ in range(3):
        function(X, np.int32(0))
    assert function.compilations == 1
    wide = np.zeros((4, 6), np.float32)
    for place in (1, 1, 1, 4, 4, 4, 1, 4):
        wide[0] = np.arange(6) == place
        assert function(wide, np.int32(0))[0].shape == (4, 6 - place)
    assert function.compilations == len({1, 4, int(X[0].argmax())})


def test_after_many_values_a_graph_runs_op_by_op_and_says_so(
    tf1_graph: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.execution.by_value._MOST_COMPILED", 2)
    graph_def = make(tf1_graph, lambda tf, x, n: x[:, tf.argmax(x[n]):])
    function = execution.function(ours(graph_def), ["x", "n"], ["y"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for place in (0, 0, 1, 1, 2, 2, 3, 3):
            x = np.tile(np.arange(6) == place, (4, 1)).astype(np.float32)
            np.testing.assert_array_equal(function(x, np.int32(0))[0], x[:, place:])
    assert function.compilations == 2
    assert [each.category for each in caught] == [ManyValuesWarning]


def test_inside_jit_a_value_that_shapes_is_asked_for_by_name(tf1_graph: ModuleType) -> None:
    graph_def = make(tf1_graph, lambda tf, x, n: x[:, n:])
    function = execution.function(ours(graph_def), ["x", "n"], ["y"])
    with pytest.raises(execution.ExecutionError, match=r"strided_slice.*`given`"):
        jax.jit(function)(X, np.int32(2))
