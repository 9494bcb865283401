"""What `Saver.save` takes and writes, row by row (tf1_semantics.md C1–C3, C12–C21).

Retention is in test_checkpoint_retention.py, restoring in test_checkpoint_restore.py.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from checkpoint_cases import file_names
from flax import nnx

from pipeline import scopes
from pipeline.checkpoint import (
    CheckpointReader,
    InvalidArgumentError,
    InvalidTypeError,
    PartitionedTensor,
    Saver,
    SaverDef,
    get_checkpoint_state,
    list_variables,
)

# What may be saved, and under which names


def test_c1_files_and_returned_prefix(tmp_path: Path, store: scopes.VariableStore) -> None:
    saver = Saver(store, meta_graph=b"graph")
    assert saver.save(tmp_path / "model.ckpt") == f"{tmp_path}/model.ckpt"
    assert file_names(tmp_path) == ["checkpoint", "model.ckpt.data-00000-of-00001",
                                    "model.ckpt.index", "model.ckpt.meta"]
    assert (tmp_path / "model.ckpt.meta").read_bytes() == b"graph"


def test_files_equal_those_of_tensorflow(tmp_path: Path, tf1_graph: ModuleType) -> None:
    values = {"layer1/weights": np.ones((784, 5), np.float32), "v1": np.float32([1.0]),
              "global_step": np.int64(7)}
    for name, value in values.items():
        tf1_graph.Variable(value, name=name)
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        theirs = tf1_graph.train.Saver().save(session, str(tmp_path / "theirs"), global_step=7)
    ours = Saver(values).save(tmp_path / "ours", global_step=7)
    for suffix in (".index", ".data-00000-of-00001"):
        assert Path(f"{ours}{suffix}").read_bytes() == Path(f"{theirs}{suffix}").read_bytes()


def test_partitioned_files_equal_those_of_tensorflow(
    tmp_path: Path, tf1_graph: ModuleType
) -> None:
    variable = tf1_graph.get_variable("p/v", [10, 2],
                                      partitioner=tf1_graph.fixed_size_partitioner(3))
    tf1_graph.get_variable("z", initializer=np.float32([1]))
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        theirs = tf1_graph.train.Saver().save(session, str(tmp_path / "theirs"))
        value = session.run(variable.as_tensor())
    saver = Saver({"z": np.float32([1]), "p/v": PartitionedTensor.split(value, 3)})
    ours = saver.save(tmp_path / "ours")
    for suffix in (".index", ".data-00000-of-00001"):
        assert Path(f"{ours}{suffix}").read_bytes() == Path(f"{theirs}{suffix}").read_bytes()
    other = Saver({"p/v": PartitionedTensor.split(np.zeros((10, 2), np.float32), 2)})
    restored = other.restore(theirs)["p/v"]
    assert [len(part.value) for part in restored.parts] == [5, 5]
    assert (restored.assemble() == value).all()


def test_a_session_of_tensorflow_restores_ours(tmp_path: Path, tf1_graph: ModuleType) -> None:
    store = scopes.VariableStore(seed=3)
    with store.as_default(), scopes.variable_scope("layer1"):
        scopes.get_variable("weights", [784, 500])
    path = Saver(store).save(tmp_path / "m", global_step=1)
    for resource in (False, True):
        with tf1_graph.Graph().as_default(), tf1_graph.Session() as session:
            weights = tf1_graph.get_variable("layer1/weights", [784, 500], use_resource=resource)
            tf1_graph.train.Saver().restore(session, path)
            assert (session.run(weights) == store["layer1/weights"].read()).all()


def test_c2_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^No variables to save$"):
        Saver([])
    saver = Saver([], allow_empty=True, meta_graph=lambda saver_def: str(saver_def).encode())
    assert saver.save(tmp_path / "m") is None
    assert file_names(tmp_path) == ["m.meta"]
    assert b"max_to_keep: 5" in (tmp_path / "m.meta").read_bytes()


def test_c3_names(tmp_path: Path, store: scopes.VariableStore) -> None:
    v1, v2 = store["v1"], store["v2"]
    assert list_variables(Saver([v2, v1]).save(tmp_path / "a") or "") == [("v1", [1]), ("v2", [1])]
    path = Saver({"other_name": v1, "scope": {"v": v2}}).save(tmp_path / "b")
    assert list_variables(path or "") == [("other_name", [1]), ("scope/v", [1])]


@pytest.mark.parametrize(("variables", "error", "text"), [
    (lambda v1: [v1, v1], InvalidArgumentError, "At least two variables have the same name: v1"),
    (lambda v1: {"a": v1, "b": v1}, InvalidArgumentError,
     "The same saveable will be restored with two names: b"),
    (lambda v1: [np.ones(1)], InvalidTypeError, "Variable to save is not a Variable"),
    (lambda v1: [v1, "x"], InvalidTypeError, "Variable to save is not a Variable: 'x'"),
    (lambda v1: {"a": None}, InvalidTypeError, "Not a variable: a is None"),
    (lambda v1: {1: v1}, InvalidTypeError, "Name is not a string: 1"),
    (lambda v1: 3, InvalidTypeError, "should be passed in a dict or a list. Got 3"),
    (lambda v1: v1, InvalidTypeError, "should be passed in a dict or a list"),
    (lambda v1: [nnx.Param(jnp.ones(1))], InvalidTypeError, "has no name"),
])
def test_c3_lists_that_are_refused(
    store: scopes.VariableStore, variables: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        Saver(variables(store["v1"]))


# Options of save


def test_c12_steps(tmp_path: Path, store: scopes.VariableStore) -> None:
    with store.as_default():
        step = scopes.get_variable("global_step", [], dtype="int32", trainable=False,
                                   initializer=scopes.zeros_initializer())
    saver = Saver(store, pad_step_number=True, meta_graph=b"g")
    assert saver.save(tmp_path / "a", global_step=7) == f"{tmp_path}/a-00000007"
    assert saver.save(tmp_path / "a", global_step=step) == f"{tmp_path}/a-00000000"
    assert saver.save(tmp_path / "a", global_step="global_step:0", latest_filename="latest",
                      write_meta_graph=False) == f"{tmp_path}/a-00000000"
    saver.save(tmp_path / "b", write_state=False)
    saver.save(tmp_path / "c", meta_graph_suffix="graph")
    assert [name for name in file_names(tmp_path) if "data" not in name] == [
        "a-00000000.index", "a-00000000.meta", "a-00000007.index", "a-00000007.meta", "b.index",
        "b.meta", "c.graph", "c.index", "checkpoint", "latest"]
    assert (tmp_path / "checkpoint").read_text() == (
        'model_checkpoint_path: "c"\nall_model_checkpoint_paths: "a-00000007"\n'
        'all_model_checkpoint_paths: "a-00000000"\nall_model_checkpoint_paths: "c"\n')
    assert (tmp_path / "latest").read_text() == (
        'model_checkpoint_path: "a-00000000"\nall_model_checkpoint_paths: "a-00000007"\n'
        'all_model_checkpoint_paths: "a-00000000"\n')


@pytest.mark.parametrize("step", [1.5, "nope", [1, 2]])
def test_c12_steps_that_are_none(tmp_path: Path, step: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="global_step"):
        Saver({"v": np.ones(1)}).save(tmp_path / "m", global_step=step)


def test_c17_state_file_names(tmp_path: Path) -> None:
    saver = Saver({"v": np.ones(1)})
    with pytest.raises(InvalidArgumentError, match="must not contain path components"):
        saver.save(tmp_path / "a", latest_filename="x/y")
    for name in ("checkpoint", "zz"):
        with pytest.raises(InvalidArgumentError, match="'latest_filename' collides with"):
            saver.save(tmp_path / name, latest_filename=None if name == "checkpoint" else "zz")
    with pytest.raises(InvalidArgumentError, match="is a directory"):
        saver.save(f"{tmp_path}/")
    assert file_names(tmp_path) == []


def test_c18_one_missing_directory_is_made(tmp_path: Path) -> None:
    saver = Saver({"v": np.ones(1)})
    saver.save(tmp_path / "one/m")
    with pytest.raises(InvalidArgumentError, match=r"^Parent directory of .* doesn't exist, can't"):
        saver.save(tmp_path / "no/such/m")


def test_c19_sharded_by_device(tmp_path: Path) -> None:
    class On:
        dtype = np.dtype(np.float32)

        def __init__(self, device: str) -> None:
            self.device, self.shape = device, (1,)

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.ones(1, np.float32)

    values = {"a": On("cpu:0"), "b": On("cpu:1"), "c": On("gpu:0")}
    assert Saver(values, sharded=True).save(tmp_path / "m") == f"{tmp_path}/m"
    assert file_names(tmp_path) == [
        "checkpoint", *(f"m.data-{i:05d}-of-00003" for i in range(3)), "m.index"]
    assert list_variables(tmp_path) == [("a", [1]), ("b", [1]), ("c", [1])]
    Saver({"a": jnp.ones(2)}, sharded=True).save(tmp_path / "one")
    assert "one.data-00000-of-00001" in file_names(tmp_path)


def test_c21_saver_def(tf1_graph: ModuleType) -> None:
    tf1_graph.Variable([1.0], name="v1")
    for options in ({}, {"max_to_keep": 0}, {"max_to_keep": 2, "sharded": True},
                    {"keep_checkpoint_every_n_hours": 0.5}):
        with tf1_graph.Graph().as_default():
            tf1_graph.Variable([1.0], name="v1")
            theirs = tf1_graph.train.Saver(**options).as_saver_def()
        ours = Saver({"v1": np.ones(1)}, **options).as_saver_def()
        if not options.get("sharded"):
            assert str(ours) == str(theirs)
        assert (ours.max_to_keep, ours.sharded, ours.keep_checkpoint_every_n_hours) == (
            theirs.max_to_keep, theirs.sharded, theirs.keep_checkpoint_every_n_hours)
    assert SaverDef() == Saver({"v": np.ones(1)}).saver_def


def test_saving_the_same_name_again_replaces_it(tmp_path: Path) -> None:
    for value in range(3):
        Saver({"v": np.full(100 * (value + 1), value)}, meta_graph=b"%d" % value).save(
            tmp_path / "m")
        assert (CheckpointReader(tmp_path / "m")["v"] == value).all()
    assert file_names(tmp_path) == ["checkpoint", "m.data-00000-of-00001", "m.index", "m.meta"]
    assert get_checkpoint_state(tmp_path).all_model_checkpoint_paths == (f"{tmp_path}/m",)
