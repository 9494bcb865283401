"""`freeze` on small networks: the nodes, their names, and TensorFlow's numbers."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from judge import relative_error, run_all

from pipeline import execution
from pipeline.lowering import LoweringError, freeze

Arrays = dict[str, Any]
IMAGES = {"input": jax.ShapeDtypeStruct((None, 28, 28, 1), jnp.float32)}
PIXELS = {"input": jax.ShapeDtypeStruct((None, 784), jnp.float32)}
OUTPUTS = ("logits", "probabilities")


def variables(**shapes: tuple[int, ...]) -> Arrays:
    random = np.random.default_rng(0)
    return {name.replace("__", "/"): random.normal(size=shape).astype(np.float32) / 10
            for name, shape in shapes.items()}


MLP = variables(layer1__weights=(784, 500), layer1__biases=(500,),
                layer2__weights=(500, 10), layer2__biases=(10,))
CNN = variables(conv1__weights=(5, 5, 1, 8), conv1__biases=(8,), layer2__weights=(392, 10),
                layer2__biases=(10,), bn__gamma=(8,), bn__beta=(8,), bn__moving_mean=(8,))
CNN["bn/moving_variance"] = np.linspace(0.5, 2, 8, dtype=np.float32)


def mlp(v: Arrays, x: Any) -> Any:
    with jax.named_scope("layer1"):
        hidden = jax.nn.relu(x @ v["layer1/weights"] + v["layer1/biases"])
    with jax.named_scope("layer2"):
        logits = hidden @ v["layer2/weights"] + v["layer2/biases"]
    return logits, jax.nn.softmax(logits)


def cnn(v: Arrays, x: Any) -> Any:
    window = (1, 2, 2, 1)
    with jax.named_scope("conv1"):
        x = jax.lax.conv_general_dilated(x, v["conv1/weights"], (1, 1), "SAME",
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = x + v["conv1/biases"]
    with jax.named_scope("bn"):
        factor = jax.lax.rsqrt(v["bn/moving_variance"] + 1e-3) * v["bn/gamma"]
        x = jax.nn.relu((x - v["bn/moving_mean"]) * factor + v["bn/beta"])
    with jax.named_scope("pool1"):
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "SAME")
    with jax.named_scope("pool2"):
        x = jax.lax.reduce_window(x, 0.0, jax.lax.add, window, window, "VALID") / 4
    with jax.named_scope("layer2"):
        logits = x.reshape(-1, 392) @ v["layer2/weights"] + v["layer2/biases"]
    return logits, jax.nn.softmax(logits)


def agree(tf: ModuleType, function: Any, values: Arrays, inputs: Any, graph: Any) -> None:
    random = np.random.default_rng(1)
    (name, spec), = inputs.items()
    feeds = [{name: random.uniform(size=(n, *spec.shape[1:])).astype(np.float32)}
             for n in (1, 3, 0)]
    for feed, found in zip(feeds, run_all(tf, graph, OUTPUTS, feeds), strict=True):
        assert [array.shape for array in found] == [(len(feed[name]), 10)] * 2
        if len(feed[name]):
            for array, expected in zip(found, function(values, feed[name]), strict=True):
                assert relative_error(array, expected) < 1e-5


def nodes(graph: Any) -> list[tuple[str, str]]:
    return [(node.name, node.op) for node in graph.node]


@pytest.mark.parametrize("opset", ["tf1", "modern"])
def test_mlp_is_twelve_nodes_named_by_its_scopes(tf: ModuleType, opset: Any) -> None:
    graph = freeze(mlp, MLP, PIXELS, outputs=OUTPUTS, opset=opset)
    assert nodes(graph) == [
        ("input", "Placeholder"),
        ("layer1/weights", "Const"), ("layer1/MatMul", "MatMul"),
        ("layer1/biases", "Const"), ("layer1/BiasAdd", "BiasAdd"), ("layer1/Relu", "Relu"),
        ("layer2/weights", "Const"), ("layer2/MatMul", "MatMul"),
        ("layer2/biases", "Const"), ("layer2/BiasAdd", "BiasAdd"),
        ("logits", "Identity"), ("probabilities", "Softmax"),
    ]
    agree(tf, mlp, MLP, PIXELS, graph)


def test_cnn_uses_the_ops_readers_know(tf: ModuleType) -> None:
    graph = freeze(cnn, CNN, IMAGES, outputs=OUTPUTS)
    assert [op for _, op in nodes(graph) if op != "Const"] == [
        "Placeholder", "Conv2D", "BiasAdd", "FusedBatchNorm", "Relu", "MaxPool", "AvgPool",
        "Reshape", "MatMul", "BiasAdd", "Identity", "Softmax"]
    assert ("bn/FusedBatchNorm", "FusedBatchNorm") in nodes(graph)
    assert {name for name, op in nodes(graph) if op == "Const"} == {*CNN, "layer2/Reshape/shape"}
    agree(tf, cnn, CNN, IMAGES, graph)


def test_same_bytes_from_run_to_run() -> None:
    first, second = (freeze(cnn, CNN, IMAGES, outputs=OUTPUTS) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == \
        second.SerializeToString(deterministic=True)


def test_producer_is_written() -> None:
    for opset, producer in (("tf1", 24), ("modern", 2474)):
        graph = freeze(mlp, MLP, PIXELS, outputs=OUTPUTS, opset=opset)  # type: ignore[arg-type]
        assert graph.versions.producer == producer


def test_all_gaps_are_reported_at_once_with_their_lines() -> None:
    def function(v: Arrays, x: Any) -> Any:
        y = jax.pure_callback(lambda a: a, jax.ShapeDtypeStruct((2,), jnp.float32), x)
        return jax.lax.rng_bit_generator(jnp.zeros(4, jnp.uint32), (2,))[1], y

    with pytest.raises(LoweringError) as caught:
        freeze(function, {}, {"x": jax.ShapeDtypeStruct((2,), jnp.float32)}, outputs=("a", "b"))
    assert {gap.primitive for gap in caught.value.gaps} == {"pure_callback", "rng_bit_generator"}
    assert all("test_lowering_freeze.py" in gap.source for gap in caught.value.gaps)
    assert str(caught.value).count("test_lowering_freeze.py") == 2


def test_dropout_in_training_draws_as_many_numbers_as_there_are() -> None:
    def drop(x: Any) -> Any:
        return jnp.where(jax.random.bernoulli(jax.random.key(0), 0.5, x.shape), x, 0.0)

    inputs = {"x": jax.ShapeDtypeStruct((None, 3), np.float32)}
    graph = freeze(drop, inputs=inputs, outputs=["y"])
    x = np.arange(15, dtype=np.float32).reshape(5, 3)
    found, = execution.function(graph, ["x"], ["y"])(x)
    np.testing.assert_array_equal(found, drop(x))


def test_a_gap_inside_a_function_of_jax_is_at_the_line_that_calls_it() -> None:
    shapes = {"a": (2, 16, 64), "b": (2, 32, 64), "c": (2, 16, 2), "d": (2, 32, 2)}
    inputs = {name: jax.ShapeDtypeStruct(shape, jnp.bfloat16) for name, shape in shapes.items()}
    with pytest.raises(LoweringError, match=r"scaled_matmul.*test_lowering_freeze\.py"):
        freeze(lambda v, *arrays: jax.nn.scaled_matmul(*arrays), {}, inputs, outputs=("y",))


@pytest.mark.parametrize(("names", "message"), [
    (("input", "b"), "'input' is asked for twice"),
    (("a", "A"), "'A' is asked for twice"),
    (("a b", "c"), "output 'a b' cannot name"),
    (("only",), "gives 2 arrays; outputs names 1"),
])
def test_names_that_cannot_be(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        freeze(mlp, MLP, PIXELS, outputs=names)


@pytest.mark.parametrize(("inputs", "outputs", "message"), [
    (PIXELS, "probabilities", r"outputs: the string 'probabilities'; expected names, \['prob"),
    ([IMAGES["input"]], ["y"], "expected shape and dtype by name, such as"),
    ({"x": (None, 3)}, ["y"], r"input x: \(None, 3\); expected shape and dtype, such as"),
    ({"x": jax.ShapeDtypeStruct((3, None), np.float32)}, ["y"], "None for the leading batch"),
    ({"x": jax.ShapeDtypeStruct((3,), np.int64)}, ["y"],
     "input x: int64 is asked for, JAX computes in int32; turn on jax_enable_x64 or ask for int32"),
])
def test_what_is_asked_for_in_another_form(inputs: Any, outputs: Any, message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        freeze(lambda x: x + 1, inputs=inputs, outputs=outputs)


def test_a_random_key_is_fed_as_its_numbers(tf: ModuleType) -> None:
    key = jax.random.key(7)
    graph = freeze(lambda key: jax.random.uniform(key, (5,)),
                   inputs={"key": jax.ShapeDtypeStruct((), key.dtype)}, outputs=["y"])
    (found,), = run_all(tf, graph, ["y"], [{"key": np.asarray(jax.random.key_data(key))}])
    assert np.array_equal(found, jax.random.uniform(key, (5,)))


def test_python_that_needs_the_batch_size_is_refused() -> None:
    def function(v: Arrays, x: Any) -> Any:
        return x if x.shape[0] > 3 else -x

    with pytest.raises(LoweringError, match="fixed shape"):
        freeze(function, {}, PIXELS, outputs=("y",))


def test_a_type_that_tensorflow_lacks_is_said_with_its_line() -> None:
    small = jnp.float8_e8m0fnu
    with pytest.raises(LoweringError, match="input x: dtype float8_e8m0fnu has no TensorFlow"):
        freeze(lambda v, x: x, {}, {"x": jax.ShapeDtypeStruct((2,), small)}, outputs=("y",))
    with pytest.raises(LoweringError, match=r"(?s)float8_e8m0fnu.*test_lowering_freeze\.py"):
        freeze(lambda v, x: x.astype(small).astype(jnp.float32), {}, PIXELS, outputs=("y",))


def test_an_output_that_is_an_input_or_a_variable(tf: ModuleType) -> None:
    graph = freeze(lambda v, x: (x, x, v["w"], x.sum(1)), {"w": np.float32(3)}, PIXELS,
                   outputs=("a", "b", "c", "d"))
    x = np.ones((2, 784), np.float32)
    found, = run_all(tf, graph, ("a", "b", "c", "d"), [{"input": x}])
    assert np.array_equal(found[0], x)
    assert np.array_equal(found[1], x)
    assert (found[2], found[3][0]) == (3, 784)
