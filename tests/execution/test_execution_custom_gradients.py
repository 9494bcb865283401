"""Custom gradients: the right one where the file has it, a refusal by name where it has not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from execution_judge import ours

from pipeline import execution

NUMBERS = itertools.count()
X = np.array([[-2, -0.5, 0], [0.3, 1, 40]], np.float32)


def straight_through(tf: ModuleType, x: Any) -> Any:
    @tf.custom_gradient
    def rounded(x: Any) -> Any:
        return tf.round(x), lambda dy: dy
    return rounded(x) * 2.0


def clipped(tf: ModuleType, x: Any) -> Any:
    """Its gradient looks at an argument and at a result."""
    @tf.custom_gradient
    def scaled(x: Any, y: Any) -> Any:
        z = x * y
        return z, lambda dz: (tf.clip_by_value(dz * y * z, -1.0, 1.0), None)
    return scaled(x, tf.constant(3.0))


def two_results(tf: ModuleType, x: Any) -> Any:
    @tf.custom_gradient
    def both(x: Any) -> Any:
        return (tf.sin(x), tf.cos(x)), lambda a, b: a * 5.0 - b
    a, b = both(x)
    return a * a + b


def in_a_loop(tf: ModuleType, x: Any) -> Any:
    @tf.custom_gradient
    def doubled(x: Any) -> Any:
        return x * 2.0, lambda dy: dy * 3.0
    return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, doubled(x)), [0, x])[1]


def overridden(tf: ModuleType, x: Any) -> Any:
    name = f"Odd{next(NUMBERS)}"
    tf.RegisterGradient(name)(lambda op, dy: dy * 7.0)
    with x.graph.gradient_override_map({"Relu": name}):
        return tf.nn.relu(x)


def prevented(tf: ModuleType, x: Any) -> Any:
    return tf.raw_ops.PreventGradient(input=x * 2.0, message="not here")


UNKNOWN = [straight_through, clipped, two_results, in_a_loop, overridden, prevented]
KNOWN = [straight_through, clipped, two_results]


def graph_of(tf: ModuleType, build: Callable[..., Any]) -> Any:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [2, 3], name="x")
        tf.identity(build(tf, x), name="y")
        tf.identity(tf.stop_gradient(build(tf, x)) + x, name="stopped")
    return ours(graph.as_graph_def())


@pytest.mark.parametrize("build", UNKNOWN, ids=lambda build: build.__name__)
def test_an_unknown_gradient_is_refused_when_asked_for(tf: ModuleType, build: Any) -> None:
    graph_def = graph_of(tf, build)
    function = execution.function(graph_def, ["x"], ["y"])
    np.testing.assert_allclose(function(X)[0], tf.function(lambda x: build(tf, x))(X)
                               if build is not overridden else np.maximum(X, 0), rtol=1e-6)
    with pytest.raises(execution.ExecutionError, match=r"node '.*gradient"):
        jax.grad(lambda x: function(x)[0].sum())(X)
    stopped = execution.function(graph_def, ["x"], ["stopped"])
    np.testing.assert_array_equal(jax.grad(lambda x: stopped(x)[0].sum())(X), np.ones_like(X))


@pytest.mark.parametrize("build", KNOWN, ids=lambda build: build.__name__)
def test_a_saved_models_registered_gradient_is_used(
    tf: ModuleType, build: Any, tmp_path: Path
) -> None:
    module = tf.Module()
    module.scale = tf.Variable(1.5)
    module.f = tf.function(lambda x: {"y": build(tf, x * module.scale)},
                           input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    tf.saved_model.save(module, str(tmp_path), signatures=module.f,
                        options=tf.saved_model.SaveOptions(experimental_custom_gradients=True))
    with tf.GradientTape() as tape:
        x = tf.constant(X)
        tape.watch(x)
        y = module.f(x)["y"]
    graph = execution.import_saved_model(tmp_path)
    signature = graph.signatures["serving_default"]
    function = graph.function([signature.inputs["x"].name], [signature.outputs["y"].name])
    found, pull = jax.vjp(lambda values, x: function(values, x)[0], graph.values, jnp.asarray(X))
    np.testing.assert_allclose(found, y, rtol=1e-6)
    (by_scale,), by_x = pull(jnp.ones_like(found))[0].values(), pull(jnp.ones_like(found))[1]
    for ours_, theirs in zip((by_scale, by_x), tape.gradient(y, [module.scale, x]), strict=True):
        np.testing.assert_allclose(ours_, theirs, rtol=1e-5, atol=1e-6)


def test_the_gradient_that_a_library_names_for_a_function_is_used(tf: ModuleType) -> None:
    """TF1's `Defun(grad_func=…)`."""
    from tensorflow.python.framework import function as functions

    @functions.Defun(tf.float32, tf.float32, func_name="its_gradient")
    def its_gradient(x: Any, dy: Any) -> Any:
        return dy * 11.0 + x

    @functions.Defun(tf.float32, func_name="cubed", grad_func=its_gradient)
    def cubed(x: Any) -> Any:
        return x * x * x

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [2, 3], name="x")
        tf.identity(cubed(x), name="y")
        (gradient,) = tf.gradients(graph.get_tensor_by_name("y:0"), [x])
        with tf.compat.v1.Session(graph=graph) as session:
            right = session.run(gradient, {x: X})
    graph_def = ours(graph.as_graph_def())
    assert len(graph_def.library.gradient) == 1
    function = execution.function(graph_def, ["x"], ["y"])
    np.testing.assert_allclose(jax.grad(lambda x: function(x)[0].sum())(X), right, rtol=1e-6)
