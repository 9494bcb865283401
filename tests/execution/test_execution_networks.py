"""Small networks as TF1 programs wrote them, against a TensorFlow session."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from execution_judge import assert_agrees, ours, run_in_tensorflow

from pipeline import execution
from pipeline.execution import ExecutionError


def variable(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) / np.sqrt(max(1, np.prod(shape[:-1])))).astype(np.float32)


def build_mlp(tf1: ModuleType, rng: np.random.Generator) -> Any:
    x = tf1.placeholder(tf1.float32, [None, 784], name="input")
    with tf1.name_scope("layer1"):
        hidden = tf1.nn.relu(tf1.nn.bias_add(x @ variable(rng, 784, 500), variable(rng, 500)))
    with tf1.name_scope("layer2"):
        logits = hidden @ variable(rng, 500, 10) + variable(rng, 10)
    tf1.nn.softmax(logits, name="probabilities")
    return tf1.get_default_graph().as_graph_def()


def build_cnn(tf1: ModuleType, rng: np.random.Generator, training: bool) -> Any:
    x = tf1.placeholder(tf1.float32, [None, 28, 28, 1], name="input")
    x = tf1.nn.conv2d(x, variable(rng, 5, 5, 1, 8), strides=[1, 2, 2, 1], padding="SAME")
    x, mean, _ = tf1.nn.fused_batch_norm(
        x, variable(rng, 8), variable(rng, 8),
        mean=None if training else variable(rng, 8),
        variance=None if training else np.abs(variable(rng, 8)), is_training=training)
    tf1.identity(mean, name="batch_mean")
    x = tf1.nn.max_pool2d(tf1.nn.relu(x), 3, 2, "SAME")
    x = tf1.nn.avg_pool2d(tf1.nn.lrn(x, 2, bias=1.0, alpha=1e-2, beta=0.75), 2, 1, "SAME")
    x = tf1.reshape(x, [-1, np.prod(x.shape[1:])])
    tf1.nn.log_softmax(x @ variable(rng, x.shape[1], 10), name="probabilities")
    return tf1.get_default_graph().as_graph_def()


@pytest.mark.parametrize("batch", [1, 3, 0])
def test_mlp_agrees_with_tensorflow(tf1_graph: ModuleType, batch: int) -> None:
    rng = np.random.default_rng(0)
    graph_def = build_mlp(tf1_graph, rng)
    images = rng.random((batch, 784), np.float32)
    assert_agrees(tf1_graph, graph_def, ["probabilities", "layer1/Relu"], {"input": images})


@pytest.mark.parametrize("training", [False, True])
def test_cnn_agrees_with_tensorflow(tf1_graph: ModuleType, training: bool) -> None:
    rng = np.random.default_rng(1)
    graph_def = build_cnn(tf1_graph, rng, training)
    images = rng.random((4, 28, 28, 1), np.float32)
    assert_agrees(tf1_graph, graph_def, ["probabilities:0", "batch_mean"], {"input:0": images})


def test_function_can_be_jitted_differentiated_and_mapped(tf1_graph: ModuleType) -> None:
    rng = np.random.default_rng(2)
    graph_def = build_mlp(tf1_graph, rng)
    x = tf1_graph.get_default_graph().get_tensor_by_name("input:0")
    y = tf1_graph.get_default_graph().get_tensor_by_name("probabilities:0")
    gradient = tf1_graph.gradients(tf1_graph.log(y[:, 3]), x)[0].name
    images = rng.random((5, 784), np.float32)
    with_gradient = tf1_graph.get_default_graph().as_graph_def()
    expected = run_in_tensorflow(tf1_graph, with_gradient, [gradient], {"input": images})[0]

    f = execution.function(ours(graph_def), ["input"], ["probabilities"])
    found = jax.jit(jax.grad(lambda images: jnp.log(f(images)[0][:, 3]).sum()))(images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    one_by_one = jax.vmap(lambda image: f(image[None])[0][0])(images)
    np.testing.assert_allclose(one_by_one, f(images)[0], rtol=1e-5, atol=1e-7)


def test_large_constants_are_arguments(tf1_graph: ModuleType) -> None:
    graph_def = build_mlp(tf1_graph, np.random.default_rng(3))
    f = execution.function(ours(graph_def), ["input"], ["probabilities"])
    assert sorted(value.shape for value in f.constants.values()) == [
        (10,), (500,), (500, 10), (784, 500)]
    images = np.ones((2, 784), np.float32)
    halved = {name: value / 2 for name, value in f.constants.items()}
    assert not np.allclose(f.apply(halved, images)[0], f(images)[0])
    np.testing.assert_array_equal(f.apply(f.constants, images)[0], f(images)[0])


def test_unsupported_ops_are_reported_at_once(tf1_graph: ModuleType) -> None:
    x = tf1_graph.placeholder(tf1_graph.float32, [1, 4, 4, 1], name="x")
    first = tf1_graph.raw_ops.ExtractGlimpse(
        input=x, size=[2, 2], offsets=[[0.0, 0.0]], name="glimpse")
    tf1_graph.raw_ops.NthElement(input=first, n=0, name="nth")
    graph_def = ours(tf1_graph.get_default_graph().as_graph_def())
    with pytest.raises(ExecutionError, match="NthElement is not supported: nth") as error:
        execution.function(graph_def, [], ["nth"])
    assert "ExtractGlimpse is not supported: glimpse" in str(error.value)
    assert "must feed a value for placeholder tensor 'x' with dtype float" in str(error.value)


def test_wrong_feeds_are_refused_by_name(tf1_graph: ModuleType) -> None:
    f = execution.function(
        ours(build_mlp(tf1_graph, np.random.default_rng(4))), ["input"], ["probabilities"])
    with pytest.raises(ExecutionError, match=r"shape \(2, 783\) for Tensor input, .*\(None, 784\)"):
        f(np.zeros((2, 783), np.float32))
    with pytest.raises(ExecutionError, match="input 'input' is complex128; expected float32"):
        f(np.zeros((2, 784), complex))
    with pytest.raises(ExecutionError, match="0 inputs given; expected 1: input"):
        f()
