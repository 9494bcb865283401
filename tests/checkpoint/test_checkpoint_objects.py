"""Checkpoints of objects: `tf.train.Checkpoint` and SavedModels, each way."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pipeline.checkpoint import (
    CheckpointReader,
    DataLossError,
    NotFoundError,
    load_checkpoint,
    load_variable,
    write_bundle,
    write_object_checkpoint,
)
from pipeline.checkpoint.object_graph import GRAPH_KEY, ObjectGraph, encode_object_graph


def model(tf: ModuleType) -> Any:
    """Variables in lists, dicts with awkward keys, and one reached on two paths."""
    module = tf.Module()
    module.a = tf.Variable([1.0, 2.0], name="aa")
    module.layers = [tf.Variable(3.0, name="b.c/d"), tf.Module()]
    module.layers[1].kernel = tf.Variable(np.ones((2, 2), np.float16))
    module.table = {"x/y": tf.Variable(5), "p.q": tf.Variable(6)}
    module.alias = module.layers
    return module


PATHS = {"a": [1.0, 2.0], "layers/0": 3.0, "layers/1/kernel": [[1, 1], [1, 1]], "table/x/y": 5,
         "table/p.q": 6}


def test_variables_of_tensorflow_2_are_found_by_path(tmp_path: Path, tf: ModuleType) -> None:
    checkpoint = tf.train.Checkpoint(model=model(tf), step=tf.Variable(7, dtype=tf.int64))
    reader = CheckpointReader(checkpoint.save(str(tmp_path / "c")))
    for path, value in PATHS.items():
        assert reader[f"model/{path}"].tolist() == value
    assert reader["model/alias/1/kernel"].tolist() == [[1, 1], [1, 1]]
    assert reader["aa"].tolist() == [1.0, 2.0]
    assert reader["b.c/d"] == 3.0
    assert reader["step"] == load_variable(tmp_path, "step") == 7
    assert reader["model/a/.ATTRIBUTES/VARIABLE_VALUE"].tolist() == [1.0, 2.0]
    assert "model/nope" not in reader
    with pytest.raises(NotFoundError, match="Key model/nope not found"):
        reader.get_tensor("model/nope")
    assert set(reader.variable_paths()) == {f"model/{path}" for path in PATHS} | {
        "step", "save_counter"}


def test_variables_of_a_saved_model(tmp_path: Path, tf: ModuleType) -> None:
    tf.saved_model.save(model(tf), str(tmp_path / "sm"))
    reader = load_checkpoint(tmp_path / "sm")
    for path, value in PATHS.items():
        assert reader[path].tolist() == value


def test_tensorflow_2_restores_ours(tmp_path: Path, tf: ModuleType) -> None:
    tensors = {f"model/{path}": np.asarray(value, dtype) for (path, value), dtype in zip(
        PATHS.items(), (np.float32, np.float32, np.float16, np.int32, np.int32), strict=True)
        if "/y" not in path}
    tensors["step"] = np.int64(11)
    write_object_checkpoint(tmp_path / "c", tensors, align=64)
    module = model(tf)
    del module.table
    module.table = {"p.q": tf.Variable(0)}
    module.a.assign([0.0, 0.0])
    step = tf.Variable(0, dtype=tf.int64)
    status = tf.train.Checkpoint(model=module, step=step).restore(str(tmp_path / "c"))
    status.assert_consumed()
    assert module.a.numpy().tolist() == [1.0, 2.0]
    assert module.table["p.q"].numpy() == 6
    assert step.numpy() == 11
    assert CheckpointReader(tmp_path / "c")["model/layers/1/kernel"].shape == (2, 2)


def test_keras_optimizer_slots_have_paths(tmp_path: Path, tf: ModuleType) -> None:
    weights = tf.Variable([1.0], name="w")
    optimizer = tf.compat.v1.train.MomentumOptimizer(0.1, 0.9)
    optimizer.minimize(lambda: weights * weights, var_list=[weights])
    path = tf.train.Checkpoint(model={"w": weights}, optimizer=optimizer).write(str(tmp_path / "c"))
    reader = CheckpointReader(path)
    assert reader["model/w/.OPTIMIZER_SLOT/optimizer/momentum"] == 2.0


@pytest.mark.parametrize("message", [
    b"\xff", b"\x0a\x04\x0a\x02\x08\x05", b"\x08\1", b"\x0a\2\x08\1",
    b"\x0a\x09\x12\x07\x1a\x05" + b"\xff" * 3,
])
def test_graphs_that_lie(tmp_path: Path, message: bytes) -> None:
    write_bundle(tmp_path / "c", {"x": np.ones(1), GRAPH_KEY: np.array(message, np.object_)})
    reader = CheckpointReader(tmp_path / "c")
    assert reader["x"] == 1
    with pytest.raises(DataLossError, match=GRAPH_KEY):
        reader.get_tensor("y")


def test_a_graph_key_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "c", {GRAPH_KEY: np.ones(3)})
    with pytest.raises(DataLossError, match="is no scalar string"):
        CheckpointReader(tmp_path / "c").has_tensor("y")


def test_cycles_do_not_catch_the_search() -> None:
    """root.self is root: every path of any length leads somewhere."""
    root = b"\x0a\x08\x12\x04self"[:2] + b"\x12\x04self"
    node = b"\x0a" + bytes((len(root[2:]),)) + root[2:]
    graph = ObjectGraph(b"\x0a" + bytes((len(node),)) + node)
    assert graph.find("/".join(["self"] * 2000)) is None


def test_a_graph_comes_back() -> None:
    graph = ObjectGraph(encode_object_graph(["a/b", "a/c", "d.e"]))
    assert graph.keys == {
        "a/b": "a/b/.ATTRIBUTES/VARIABLE_VALUE", "a/c": "a/c/.ATTRIBUTES/VARIABLE_VALUE",
        "d.e": "d..e/.ATTRIBUTES/VARIABLE_VALUE"}
    assert graph.find("a") is None
