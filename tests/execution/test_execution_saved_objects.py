"""SavedModels of TensorFlow 2: variables by the object graph, tables from constants and assets."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pipeline import execution

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def saved(tf: ModuleType, module: Any, path: Path, **signatures: Any) -> execution.Graph:
    tf.saved_model.save(module, str(path), signatures=signatures or None)
    return execution.import_saved_model(path)


def run(graph: execution.Graph, inputs: dict[str, Any], key: str = "serving_default") -> Any:
    signature = graph.signatures[key]
    feed = {signature.inputs[name].name: value for name, value in inputs.items()}
    return graph.run({name: each.name for name, each in signature.outputs.items()}, feed)


def test_nested_and_shared_variables_are_found(tf: ModuleType, tmp_path: Path) -> None:
    module, spec = tf.Module(), tf.TensorSpec([None, 3], tf.float32, name="x")
    shared = tf.Variable(np.full(3, 2, np.float32))
    module.parts = [{"w": tf.Variable(X[:3])}, {"w": shared, "deep": [tf.Variable(5.0)]}]
    module.again = {"same": shared}
    module.optimizer = tf.keras.optimizers.SGD(momentum=0.9)
    module.optimizer.build([module.parts[0]["w"]])
    module.unused = tf.Variable([1, 2], dtype=tf.int64)

    @tf.function(input_signature=[spec])
    def f(x: Any) -> Any:
        y = x @ module.parts[0]["w"] * module.again["same"]
        return {"y": y + module.parts[1]["deep"][0], "x": x}

    module.f = f
    other = tf.function(lambda b, a: {"z": a - b}).get_concrete_function(
        b=tf.TensorSpec([], tf.float32, name="b"), a=tf.TensorSpec([], tf.float32, name="a"))
    graph = saved(tf, module, tmp_path, serving_default=f.get_concrete_function(), other=other)
    found = run(graph, {"x": X})
    for name, right in tf.saved_model.load(str(tmp_path)).signatures["serving_default"](
            x=tf.constant(X)).items():
        np.testing.assert_allclose(found[name], right, rtol=1e-5)
    assert run(graph, {"a": np.float32(5), "b": np.float32(2)}, "other")["z"] == 3


@pytest.mark.parametrize("exported", [False, True])
def test_a_keras_model_runs_with_its_variables(
    tf: ModuleType, tmp_path: Path, exported: bool
) -> None:
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input([3]), layers.Dense(4, "relu"),
                                 layers.BatchNormalization(), layers.Dense(2)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, X[:, :2], verbose=0)
    right = model(X)
    if exported:
        model.export(str(tmp_path), verbose=False)
    else:
        tf.saved_model.save(model, str(tmp_path))
    graph = execution.import_saved_model(tmp_path)
    (name,) = graph.signatures["serving_default"].inputs
    (found,) = run(graph, {name: X}).values()
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


def lookup(tf: ModuleType, initializer: Any, default: Any) -> Any:
    return tf.lookup.StaticHashTable(initializer, default)


def test_tables_are_filled_from_constants_and_assets(tf: ModuleType, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("owl\ncat\ndog\n", "utf-8")
    lookups, text = tf.lookup, tf.TensorSpec([None], tf.string, name="words")
    module = tf.Module()
    module.index = lookup(tf, lookups.TextFileInitializer(
        str(words), tf.string, lookups.TextFileIndex.WHOLE_LINE,
        tf.int64, lookups.TextFileIndex.LINE_NUMBER), -1)
    module.weight = lookup(tf, lookups.KeyValueTensorInitializer(
        tf.constant([2, 0, 2**40], tf.int64), tf.constant([1.5, 2.5, 3.5])), -1.0)
    module.label = lookup(tf, lookups.KeyValueTensorInitializer(
        tf.constant([0, 1], tf.int64), tf.constant(["night", "day"])), "?")
    module.f = tf.function(lambda words: {
        "ids": module.index.lookup(words), "weights": module.weight.lookup(
            module.index.lookup(words)), "labels": module.label.lookup(module.index.lookup(words))},
        input_signature=[text])
    directory = tmp_path / "model"
    graph = saved(tf, module, directory, serving_default=module.f)
    words.unlink()
    given = np.array([b"dog", b"owl", b"yak", b"cat"], object)
    found = run(graph, {"words": given})
    for name, right in tf.saved_model.load(str(directory)).signatures["serving_default"](
            words=tf.constant(given)).items():
        assert found[name].tolist() == right.numpy().tolist(), name


def test_tables_of_version_1(tf: ModuleType) -> None:
    from execution_judge import ours

    with tf.Graph().as_default() as graph:
        raw = tf.raw_ops
        x = tf.compat.v1.placeholder(tf.int64, [None], name="x")
        static = raw.HashTableV2(key_dtype=tf.int64, value_dtype=tf.float32, name="static")
        filled = raw.InitializeTableV2(table_handle=static, keys=tf.constant([3, 1, 7], tf.int64),
                                       values=tf.constant([0.5, 1.5, 2.5]), name="fill")
        changing = raw.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.int32, name="changing")
        raw.LookupTableInsertV2(table_handle=changing, keys=tf.constant([1, 2], tf.int64),
                                values=tf.constant([10, 20]), name="insert")
        raw.LookupTableFindV2(table_handle=static, keys=x, default_value=tf.constant(-1.0),
                              name="found")
        raw.LookupTableFindV2(table_handle=changing, keys=x, default_value=tf.constant(-1),
                              name="changed")
        raw.LookupTableSizeV2(table_handle=changing, name="size")
        assert filled is not None
        with tf.compat.v1.Session(graph=graph) as session:
            def theirs(name: str) -> Any:
                return session.run(f"{name}:0", {"x:0": [1, 7, 5]})
            before = theirs("changed")
            session.run(["fill", "insert"])
            right = [theirs(name) for name in ("found", "changed", "size")]
    imported = execution.import_graph_def(ours(graph.as_graph_def()), name="")
    feed = {"x:0": np.array([1, 7, 5], np.int64)}
    with pytest.raises(execution.ExecutionError, match="Table not initialized: static"):
        imported.run("found:0", feed)
    np.testing.assert_array_equal(imported.run("changed:0", feed), before)
    imported.run(["fill", "insert"])
    for found, each in zip(imported.run(["found:0", "changed:0", "size:0"], feed), right,
                           strict=True):
        np.testing.assert_array_equal(found, each)
