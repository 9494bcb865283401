"""Convolutions that run as matrix products, and their gradients, against TensorFlow."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from execution_judge import ours, relative_error, run_in_tensorflow

from pipeline import execution

# filters, stride, padding, image (batch, height, width, channels), channels out; whether Winograd
CASES = {
    "1x1": ((1, 1), 1, "SAME", (3, 5, 7, 6), 4, False),
    "1x1, every second": ((1, 1), 2, "SAME", (2, 7, 6, 3), 5, False),
    "1x1, every third": ((1, 1), 3, "VALID", (2, 7, 9, 3), 5, False),
    "1x1, padded": ((1, 1), 1, [[0, 0], [1, 0], [0, 2], [0, 0]], (2, 4, 4, 3), 5, False),
    "1x1, nothing": ((1, 1), 1, "SAME", (0, 4, 4, 3), 5, False),
    "3x3": ((3, 3), 1, "SAME", (2, 23, 24, 64), 65, True),
    "3x3, no padding": ((3, 3), 1, "VALID", (1, 27, 30, 65), 64, True),
    "3x3, odd padding": ((3, 3), 1, [[0, 0], [2, 0], [0, 3], [0, 0]], (3, 16, 15, 64), 64, True),
    "3x3, in groups": ((3, 3), 1, "SAME", (6, 40, 41, 64), 64, True),
    "3x3, few tiles": ((3, 3), 1, "SAME", (1, 8, 8, 64), 64, False),
    "3x3, few channels": ((3, 3), 1, "SAME", (1, 40, 40, 3), 64, False),
    "3x3, stride": ((3, 3), 2, "SAME", (1, 50, 50, 64), 64, False),
}


@pytest.mark.parametrize("case", CASES)
def test_convolutions_and_gradients_are_tensorflows(tf1_graph: ModuleType, case: str) -> None:
    size, stride, padding, shape, out, winograd = CASES[case]
    tf1, rng = tf1_graph, np.random.default_rng(0)
    feeds = {"x": rng.normal(size=shape).astype(np.float32),
             "filters": rng.normal(size=(*size, shape[3], out)).astype(np.float32)}
    held = {name: tf1.placeholder(tf1.float32, value.shape, name=name)
            for name, value in feeds.items()}
    y = tf1.nn.conv2d(*held.values(), strides=[1, stride, stride, 1], padding=padding, name="y")
    weights = np.cos(np.arange(np.prod(y.shape), dtype=np.float32)).reshape(y.shape)
    gradients = tf1.gradients(tf1.reduce_sum(y * weights), list(held.values()))
    graph_def = tf1.get_default_graph().as_graph_def()
    expected = run_in_tensorflow(
        tf1, graph_def, ["y", *(each.name for each in gradients)], feeds)

    f = execution.function(ours(graph_def), list(feeds), ["y"])
    assert relative_error(f(*feeds.values())[0], expected[0]) <= 1e-5
    found = jax.grad(lambda *args: (f(*args)[0] * weights).sum(), (0, 1))(*feeds.values())
    for ours_, theirs in zip(found, expected[1:], strict=True):
        assert relative_error(ours_, theirs) <= 1e-5
    primitives = str(jax.make_jaxpr(f)(*feeds.values()))
    assert ("custom_jvp_call" in primitives) == winograd
    product = winograd or (size == (1, 1) and case != "1x1, padded")
    assert ("conv_general_dilated" in primitives) != product


def test_they_can_be_mapped_and_differentiated_forwards(tf1_graph: ModuleType) -> None:
    rng = np.random.default_rng(1)
    filters = rng.normal(size=(3, 3, 64, 64)).astype(np.float32)
    x = tf1_graph.placeholder(tf1_graph.float32, [2, 17, 16, 64], name="x")
    tf1_graph.nn.conv2d(x, filters, 1, "SAME", name="y")
    f = execution.function(ours(tf1_graph.get_default_graph().as_graph_def()), ["x"], ["y"])
    images = rng.normal(size=(3, 2, 17, 16, 64)).astype(np.float32)

    def call(each: Any) -> Any:
        return f(each)[0]

    mapped = jax.jit(jax.vmap(call))(images)
    for found, image in zip(mapped, images, strict=True):
        assert relative_error(found, call(image)) <= 1e-5
    value, tangent = jax.jvp(call, (images[0],), (images[1],))
    assert relative_error(value, call(images[0])) == 0
    assert relative_error(tangent, call(images[1])) <= 1e-5   # linear
    assert jnp.isfinite(jax.jit(jax.jacfwd(lambda scale: call(images[0] * scale).sum()))(1.0))
