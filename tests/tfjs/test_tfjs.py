"""Graph models: by TensorFlow.js in Node, and read back into graphs that we run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import configured
from node_judge import run

from pipeline import execution, lowering, model, tfjs
from pipeline.errors import PipelineError

BATCHES = (1, 7)
TOLERANCE = {"float32": 1e-5, "float16": 2e-3, "uint8": 6e-2}


RANDOM = np.random.RandomState(0)
KERNEL = RANDOM.normal(size=(3, 3, 2, 4)).astype(np.float32)
# name → function of x, shape of an example, dtype
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], Any]] = {
    "scalars": (lambda x: (x * 2.5 + 1, jnp.round(x)), (3,), np.float32),
    "attention": (lambda x: jax.nn.softmax(x @ jnp.swapaxes(x, 1, 2)) @ x, (4, 6), np.float32),
    "layer norm, gelu": (lambda x: jax.nn.gelu(jax.nn.standardize(x)), (9,), np.float32),
    "integers": (lambda x: (x * 3 - 1, jnp.abs(x), x > 2), (5,), np.int32),
    "embedding": (lambda x: jnp.asarray(KERNEL).reshape(6, 12)[jnp.clip(x, 0, 5)], (5,), np.int32),
    "dilated": (lambda x: jax.lax.conv_general_dilated(
        x, KERNEL, (1, 1), "SAME", rhs_dilation=(2, 2), dimension_numbers=("NHWC", "HWIO", "NHWC")),
        (8, 8, 2), np.float32),
    "depthwise": (lambda x: jax.lax.conv_general_dilated(
        x, KERNEL.reshape(3, 3, 1, 8), (2, 2), "SAME", feature_group_count=2,
        dimension_numbers=("NHWC", "HWIO", "NHWC")), (8, 8, 2), np.float32),
    "flags": (lambda x: jnp.where(np.array([True, False, True]), x, 0), (3,), np.float32),
}


def example(name: str, batch: int) -> np.ndarray:
    _, shape, dtype = FUNCTIONS[name]
    values = np.random.RandomState(batch).uniform(-3, 3, (batch, *shape))
    return (values * (3 if dtype == np.int32 else 1)).astype(dtype)


def leaves(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: jax.tree.leaves(function(*arguments))


def difference(found: Any, expected: Any) -> float:
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def judge(directory: Path, feeds: list[Any], expected: list[Any], tolerance: float) -> None:
    """By both readers, TensorFlow.js and ours."""
    made = tfjs.read(directory)
    ours = execution.function(made.graph_def, list(made.inputs.values()),
                              list(made.outputs.values()))
    theirs = run(directory, [{"input": feed} for feed in feeds])
    for feed, wanted, named in zip(feeds, expected, theirs, strict=True):
        assert list(named) == list(made.outputs)
        for read in (ours(feed), named.values()):
            for found, each in zip(read, wanted, strict=True):
                assert difference(found, each) <= tolerance


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str, tmp_path: Path) -> None:
    function, shape, dtype = FUNCTIONS[name]
    flat = leaves(function)
    feeds = [example(name, batch) for batch in BATCHES]
    expected = [flat(feed) for feed in feeds]
    outputs = [f"out{at}" for at in range(len(expected[0]))]
    graph_def = lowering.freeze(
        flat, inputs={"input": jax.ShapeDtypeStruct((None, *shape), dtype)}, outputs=outputs,
        opset="modern")
    tfjs.write(tmp_path, graph_def, ["input"], outputs)
    judge(tmp_path, feeds, expected, 1e-5)


def exported(name: str) -> tuple[Any, list[np.ndarray], list[Any]]:
    """A model of conf/ with random variables: its graph, images, and what it makes of them."""
    network = model.build(configured(f"model={name}").model)
    variables = network.init(3)

    def function(values: Any, images: Any) -> Any:
        logits, _ = network.apply(values, images)
        return logits, jax.nn.softmax(logits)

    feeds = [np.random.RandomState(batch).uniform(size=(batch, *network.input_shape))
             .astype(np.float32) for batch in BATCHES]
    graph_def = lowering.freeze(
        function, variables,
        {"input": jax.ShapeDtypeStruct((None, *network.input_shape), jnp.float32)},
        outputs=["logits", "probabilities"], output_shapes=True)
    return graph_def, feeds, [function(variables, feed) for feed in feeds]


@pytest.mark.parametrize(("name", "storage"), [
    *((name, "float32") for name in ("softmax", "mlp", "lenet", "cnn", "deep_cnn")),
    ("mlp", "float16"), ("lenet", "uint8")])
def test_models(name: str, storage: Any, tmp_path: Path) -> None:
    graph_def, feeds, expected = exported(name)
    made = tfjs.write(tmp_path, graph_def, ["input"], ["logits", "probabilities"], storage=storage)
    judge(tmp_path, feeds, expected, TOLERANCE[storage])
    assert [path.stat().st_size for path in made[:-2]] == [4 << 20] * (len(made) - 2)
    signature = json.loads((tmp_path / "model.json").read_text())["signature"]
    assert signature["outputs"]["logits"] == {
        "name": "logits:0", "dtype": "DT_FLOAT",
        "tensorShape": {"dim": [{"size": "-1"}, {"size": "10"}]}}


def test_stored_bytes(tmp_path: Path) -> None:
    matrix = np.array([[0.0, -1.0], [0.5, 1.55]], np.float32)
    graph_def = lowering.freeze(lambda values, x: x @ values["w"] + values["b"],
                                {"w": matrix, "b": np.float32([7, 8])},
                                {"input": jax.ShapeDtypeStruct((None, 2), jnp.float32)},
                                outputs=["y"])
    tfjs.write(tmp_path, graph_def, ["input"], ["y"], storage="uint8")
    manifest, = json.loads((tmp_path / "model.json").read_text())["weightsManifest"]
    assert manifest["paths"] == ["group1-shard1of1.bin"]
    kernel, bias = manifest["weights"]
    assert kernel == {"name": "w", "shape": [2, 2], "dtype": "float32", "quantization": {
        "dtype": "uint8", "min": pytest.approx(-1.0), "scale": pytest.approx(0.01),
        "original_dtype": "float32"}}
    assert bias == {"name": "b", "shape": [2], "dtype": "float32"}
    content = (tmp_path / "group1-shard1of1.bin").read_bytes()
    assert content == bytes([100, 0, 150, 255]) + np.float32([7, 8]).tobytes()


def test_gaps_are_told_at_once(tmp_path: Path) -> None:
    graph_def = lowering.freeze(
        lambda x: jax.lax.lgamma(x) + jax.lax.digamma(x) + jnp.sin(x),
        inputs={"x": jax.ShapeDtypeStruct((None,), jnp.float32)}, outputs=["y"])
    with pytest.raises(tfjs.TfjsError, match=r"(?s)Digamma: .*Lgamma: ") as refused:
        tfjs.write(tmp_path / "m", graph_def, ["x"], ["y"])
    assert "Sin" not in str(refused.value)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(("value", "storage", "words"), [
    (np.full((1, 2), 1e5, np.float32), "float16", "beyond ±65504"),
    (np.full((1, 2), np.inf, np.float32), "uint8", "not finite"),
    (np.array([1 << 40]), "float32", "beyond int32"),
    (np.ones(1, np.complex64), "float32", "no such dtype"),
])
def test_constants_that_do_not_fit(value: Any, storage: Any, words: str) -> None:
    with pytest.raises(tfjs.TfjsError, match=f"constant c .*{words}"):
        tfjs.weights.encode("c", value, storage)


def _edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = directory / "model.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


def _weight(**changes: Any) -> Callable[[Path], None]:
    return _edit(lambda m: m["weightsManifest"][0]["weights"][0].update(changes))


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no model.json": (lambda d: (d / "model.json").unlink(), "No such file"),
    "no JSON": (lambda d: d.joinpath("model.json").write_text("{"), "not JSON"),
    "deep": (lambda d: d.joinpath("model.json").write_text("[" * 10**5), "not JSON"),
    "a list": (lambda d: d.joinpath("model.json").write_text("[]"), "format 'list'"),
    "layers model": (_edit(lambda m: m.update(format="layers-model")), "graph-model"),
    "no topology": (_edit(lambda m: m.pop("modelTopology")), "KeyError: 'modelTopology'"),
    "strange node": (_edit(lambda m: m["modelTopology"]["node"].append(3)), "ParseError"),
    "no signature": (_edit(lambda m: m.update(signature=7)), "TypeError"),
    "no shard": (lambda d: (d / "group1-shard1of1.bin").unlink(), "shard1of1.bin: No such file"),
    "short shard": (lambda d: (d / "group1-shard1of1.bin").write_bytes(b"1234"), "end at byte 4"),
    "long shard": (lambda d: (d / "group1-shard1of1.bin").write_bytes(bytes(99)), "have 99 bytes"),
    "outside": (_edit(lambda m: m["weightsManifest"][0].update(paths=["../x"])), "beside it"),
    "no weights": (_edit(lambda m: m.update(weightsManifest=[])), "has no weight"),
    "negative": (_weight(shape=[-2, 2]), "list of sizes"),
    "turned": (_weight(shape=[4]), r"is \(2, 2\) in the graph and \(4,\)"),
    "string": (_weight(dtype="string"), "dtype 'string'"),
    "huge": (_weight(shape=[1 << 40, 1 << 20]), "would end at"),
    "no name": (_weight(name=None), "expected name"),
    "quantized how": (_weight(quantization={"dtype": "uint8"}), "min and scale"),
    "quantized to": (_weight(quantization={"dtype": "int4"}), "dtype 'int4'"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_models(name: str, tmp_path: Path) -> None:
    damage, words = DAMAGES[name]
    graph_def = lowering.freeze(lambda values, x: x @ values["w"], {"w": np.eye(2, dtype="f4")},
                                {"x": jax.ShapeDtypeStruct((None, 2), jnp.float32)}, outputs=["y"])
    tfjs.write(tmp_path, graph_def, ["x"], ["y"])
    if name == "quantized how":
        (tmp_path / "group1-shard1of1.bin").write_bytes(bytes(4))
    damage(tmp_path)
    with pytest.raises(tfjs.TfjsFileError, match=words) as refused:
        tfjs.read(tmp_path)
    assert isinstance(refused.value, PipelineError)
