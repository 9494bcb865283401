"""TFLite models by LiteRT, with XNNPACK and without, at two batch sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from configured import configured
from jax import lax

from pipeline import lowering, model, tflite

BATCHES = (1, 7)
TOLERANCE = {"float32": 1e-5, "float16": 2e-3}
RANDOM = np.random.RandomState(0)
KERNEL = RANDOM.normal(size=(3, 3, 2, 4)).astype(np.float32)
NHWC = ("NHWC", "HWIO", "NHWC")


def convolution(x: Any, kernel: Any, stride: int = 1, padding: Any = "SAME", **rest: Any) -> Any:
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding,
                                    dimension_numbers=NHWC, **rest)


# name → function of x, shape of an example, dtype, the builtins that must be among the model's
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], Any, set[str]]] = {
    "scalars": (lambda x: (x * 2.5 + 1, jnp.round(x)), (3,), np.float32, {"ROUND"}),
    "same value twice": (lambda x: (x, x, jnp.tanh(x) * 1), (3,), np.float32, {"RESHAPE", "TANH"}),
    "attention": (lambda x: jax.nn.softmax(x @ jnp.swapaxes(x, 1, 2)) @ x, (4, 6), np.float32,
                  {"BATCH_MATMUL", "SOFTMAX"}),
    "layer norm, gelu": (lambda x: jax.nn.gelu(jax.nn.standardize(x)), (9,), np.float32, {"TANH"}),
    "integers": (lambda x: (x // 3, x % 4, x > 2, jnp.abs(x)), (5,), np.int32, {"ABS"}),
    "embedding": (lambda x: jnp.asarray(KERNEL).reshape(6, 12)[jnp.clip(x, 0, 5)], (5,), np.int32,
                  {"GATHER"}),
    "relu6 fused": (lambda x: jax.nn.relu6(convolution(x, KERNEL)), (8, 8, 2), np.float32,
                    {"CONV_2D"}),
    "relu read twice": (lambda x: (lambda y: y + jax.nn.relu(y))(convolution(x, KERNEL)), (8, 8, 2),
                        np.float32, {"CONV_2D", "RELU", "ADD"}),
    "dilated": (lambda x: convolution(x, KERNEL, rhs_dilation=(2, 2)), (8, 8, 2), np.float32,
                {"CONV_2D"}),
    "explicit padding": (lambda x: convolution(x, KERNEL, 2, ((2, 0), (1, 3))), (8, 8, 2),
                         np.float32, {"PAD", "CONV_2D"}),
    "depthwise": (lambda x: convolution(x, KERNEL.reshape(3, 3, 1, 8), 2, feature_group_count=2),
                  (8, 8, 2), np.float32, {"DEPTHWISE_CONV_2D"}),
    "pools": (lambda x: (lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME"),
                         x.mean((1, 2)), x.max(-1)), (7, 7, 2), np.float32,
              {"MAX_POOL_2D", "MEAN", "REDUCE_MAX"}),
    "shapes": (lambda x: (jnp.concatenate([x, x[:, ::2]], 1), jnp.stack([x, x], 1), x.T,
                          x.reshape(-1, 2, 2)[:, 1], jnp.pad(x, ((0, 0), (1, 2)))), (4,),
               np.float32, {"CONCATENATION", "TRANSPOSE", "STRIDED_SLICE", "PAD"}),
    "activations": (lambda x: [f(x) for f in (jax.nn.sigmoid, jax.nn.elu, jax.nn.softplus,
                                             jax.nn.log_softmax, jax.nn.silu, jnp.reciprocal)],
                    (5,), np.float32, {"LOGISTIC", "ELU"}),
    "elementwise": (lambda x: [jnp.exp(x), jnp.log(jnp.abs(x)), jnp.sin(x), jnp.cos(x), jnp.sign(x),
                               jnp.floor(x), jnp.ceil(x), jnp.sqrt(jnp.abs(x)), x ** 2, -x,
                               jnp.where(x > 0, x, 2 * x), jnp.maximum(x, 1), x.argmax(-1)],
                    (5,), np.float32, {"LEAKY_RELU", "ARG_MAX"}),
}


def leaves(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: jax.tree.leaves(function(*arguments))


def frozen(function: Any, shape: tuple[int, ...], dtype: Any, outputs: list[str],
           variables: Any = None) -> Any:
    return lowering.freeze(
        function, variables, inputs={"input": jax.ShapeDtypeStruct((None, *shape), dtype)},
        outputs=outputs, opset="modern", output_shapes=True)


def judge(path: Path, feeds: list[Any], expected: list[Any], outputs: list[str],
          tolerance: float) -> None:
    for feed, wanted in zip(feeds, expected, strict=True):
        for xnnpack in (True, False):
            made = tflite.run(path, {"input": feed}, xnnpack=xnnpack)
            assert set(made) == set(outputs)
            for name, each in zip(outputs, wanted, strict=True):
                value = np.asarray(each, np.float64)
                assert made[name].shape == value.shape, name
                largest = np.abs(made[name].astype(np.float64) - value).max()
                assert largest <= tolerance * max(np.abs(value).max(), 1e-30), name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str, tmp_path: Path) -> None:
    function, shape, dtype, builtins = FUNCTIONS[name]
    flat = leaves(function)
    feeds = [(np.random.RandomState(batch).uniform(-3, 3, (batch, *shape))
              * (3 if dtype == np.int32 else 1)).astype(dtype) for batch in BATCHES]
    expected = [flat(feed) for feed in feeds]
    outputs = [f"out{at}" for at in range(len(expected[0]))]
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite.convert(frozen(flat, shape, dtype, outputs), ["input"], outputs))
    found = tflite.describe(path)
    assert builtins <= set(found.ops)
    if name in ("relu6 fused", "dilated", "depthwise"):
        assert found.ops == dict.fromkeys(builtins, 1)
    judge(path, feeds, expected, outputs, 1e-5)


OPS = {
    "softmax": {"FULLY_CONNECTED": 1, "SOFTMAX": 1},
    "mlp": {"FULLY_CONNECTED": 2, "SOFTMAX": 1},
    "lenet": {"CONV_2D": 2, "MAX_POOL_2D": 2, "RESHAPE": 1, "FULLY_CONNECTED": 3, "SOFTMAX": 1},
    "cnn": {"CONV_2D": 3, "MAX_POOL_2D": 1, "AVERAGE_POOL_2D": 1, "RESHAPE": 1,
            "FULLY_CONNECTED": 2, "SOFTMAX": 1},
    "deep_cnn": {"CONV_2D": 6, "MAX_POOL_2D": 2, "RESHAPE": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1},
}


@pytest.mark.parametrize("storage", ["float32", "float16"])
@pytest.mark.parametrize("name", OPS)
def test_models(name: str, storage: Any, tmp_path: Path) -> None:
    """Batch norms, biases and activations are inside the layers; no weight is stored twice."""
    network = model.build(configured(f"model={name}").model)
    variables = {key: value + 0.01 * RANDOM.uniform(size=value.shape).astype(np.float32)
                 for key, value in network.init(3).items()}

    def function(values: Any, images: Any) -> Any:
        logits, _ = network.apply(values, images)
        return logits, jax.nn.softmax(logits)

    outputs = ["logits", "probabilities"]
    feeds = [np.random.RandomState(batch).uniform(size=(batch, *network.input_shape))
             .astype(np.float32) for batch in BATCHES]
    graph_def = frozen(function, network.input_shape, np.float32, outputs, variables)
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite.convert(graph_def, ["input"], outputs, storage=storage))
    judge(path, feeds, [function(variables, feed) for feed in feeds], outputs, TOLERANCE[storage])
    found = tflite.describe(path)
    assert {op: count for op, count in found.ops.items() if op != "DEQUANTIZE"} == OPS[name]
    assert found.inputs == {"input": ((-1, *network.input_shape), "float32")}
    size = sum(value.nbytes for value in variables.values())
    assert found.weights < (size if storage == "float32" else size / 2) + 2000


def test_buffers_are_aligned_and_shared(tmp_path: Path) -> None:
    kernel = RANDOM.normal(size=(3, 3)).astype(np.float32)
    content = tflite.convert(
        frozen(lambda v, x: (x @ v["a"]) @ v["b"], (3,), np.float32, ["y"],
               {"a": kernel, "b": kernel}), ["input"], ["y"])
    read = schema.Model.GetRootAs(content, 0)
    beginning = np.frombuffer(content, np.uint8).ctypes.data
    starts = [read.Buffers(at).DataAsNumpy().ctypes.data - beginning
              for at in range(1, read.BuffersLength())]
    assert content[4:8] == b"TFL3"
    assert all(start % 16 == 0 for start in starts)
    assert content.count(kernel.T.tobytes()) == 1


def test_gaps_are_told_at_once() -> None:
    graph_def = frozen(lambda x: lax.lgamma(x) + lax.digamma(x) + jnp.sin(x), (2,), np.float32,
                       ["y"])
    with pytest.raises(tflite.TfliteError, match=r"(?s)Digamma has no builtin: .*Lgamma") as gaps:
        tflite.convert(graph_def, ["input"], ["y"])
    assert "Sin" not in str(gaps.value)


def test_shapes_must_be_known() -> None:
    graph_def = lowering.freeze(jnp.sin, inputs={"input": jax.ShapeDtypeStruct((None,), "float32")},
                                outputs=["y"])
    with pytest.raises(tflite.TfliteError, match="output_shapes=True"):
        tflite.convert(graph_def, ["input"], ["y"])


@pytest.mark.parametrize("content", [
    b"", b"no model", b"\x10\0\0\0TFL3", b"\xff" * 4 + b"TFL3" * 9])
def test_damaged_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    with pytest.raises(tflite.TfliteFileError, match=r"m\.tflite"):
        tflite.describe(path)
    with pytest.raises(tflite.TfliteFileError, match=r"m\.tflite"):
        tflite.run(path, {"input": np.zeros(1)})
