"""`Saver`, row by row (tf1_semantics.md C1–C23); retention is in test_checkpoint_retention.py."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from pipeline import scopes
from pipeline.checkpoint import (
    CheckpointReader,
    DataLossError,
    InvalidArgumentError,
    InvalidTypeError,
    NotFoundError,
    PartitionedTensor,
    Saver,
    SaverDef,
    get_checkpoint_state,
    latest_checkpoint,
    list_variables,
    write_object_checkpoint,
)


@pytest.fixture
def store() -> scopes.VariableStore:
    """`v1` and `v2` of the tutorial."""
    store = scopes.VariableStore(seed=0)
    with store.as_default():
        for name, value in (("v1", 1.0), ("v2", 2.0)):
            scopes.get_variable(name, [1], initializer=scopes.constant_initializer(value))
    return store


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# What may be saved, and under which names


def test_c1_files_and_returned_prefix(tmp_path: Path, store: scopes.VariableStore) -> None:
    saver = Saver(store, meta_graph=b"graph")
    assert saver.save(tmp_path / "model.ckpt") == f"{tmp_path}/model.ckpt"
    assert files(tmp_path) == ["checkpoint", "model.ckpt.data-00000-of-00001", "model.ckpt.index",
                               "model.ckpt.meta"]
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
    assert files(tmp_path) == ["m.meta"]
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


def test_c4_renaming_and_parts(tmp_path: Path, store: scopes.VariableStore) -> None:
    path = Saver(store).save(tmp_path / "m")
    other = scopes.VariableStore(seed=1)
    with other.as_default():
        a, b = (scopes.get_variable(f"other-{name}", [1]) for name in ("v1", "v2"))
    Saver({"v1": a, "v2": b}).restore(path)
    assert (a.read(), b.read()) == (1.0, 2.0)
    Saver({"v2": a, "v1": b}).restore(path)
    assert (a.read(), b.read()) == (2.0, 1.0)
    Saver({"v1": a}).restore(path)
    assert (a.read(), b.read()) == (1.0, 1.0)


# What restoring refuses


def test_c5_every_missing_key_is_named(tmp_path: Path, store: scopes.VariableStore) -> None:
    path = Saver({"v1": store["v1"]}).save(tmp_path / "m")
    with pytest.raises(NotFoundError) as caught:
        Saver({"v1": store["v1"], "v2": store["v2"], "x": np.ones(1)}).restore(path)
    assert "Restoring from checkpoint" in str(caught.value)
    assert "Key v2 not found in checkpoint" in str(caught.value)
    assert "Key x not found in checkpoint" in str(caught.value)


def test_c6_c7_clashes_are_named_together_and_nothing_changes(tmp_path: Path) -> None:
    path = Saver({"a": np.ones((784, 300), np.float32), "b": np.ones(2, np.float32),
                  "c": np.float32([1])}).save(tmp_path / "m")
    store = scopes.VariableStore()
    with store.as_default():
        scopes.get_variable("a", [784, 500])
        scopes.get_variable("b", [2], dtype="int32")
        c = scopes.get_variable("c", [1])
    before = c.read()
    with pytest.raises(InvalidArgumentError) as caught:
        Saver(store).restore(path)
    assert "a: checkpoint has (784, 300), model has (784, 500)" in str(caught.value)
    assert "b: checkpoint has DT_FLOAT, model has DT_INT32" in str(caught.value)
    assert c.read() == before


def test_c8_reshape(tmp_path: Path) -> None:
    path = Saver({"v1": np.float32([1.0])}).save(tmp_path / "m")
    square = {"v1": np.zeros((1, 1), np.float32)}
    with pytest.raises(InvalidArgumentError, match=r"v1: checkpoint has \(1,\), model has \(1, 1"):
        Saver(square).restore(path)
    assert Saver(square, reshape=True).restore(path)["v1"].tolist() == [[1.0]]
    with pytest.raises(InvalidArgumentError, match=r"checkpoint has \(1,\), model has \(2,\)"):
        Saver({"v1": np.zeros(2, np.float32)}, reshape=True).restore(path)


def test_c9_paths_that_are_none(tmp_path: Path, store: scopes.VariableStore) -> None:
    saver = Saver(store)
    path = saver.save(tmp_path / "m")
    with pytest.raises(InvalidArgumentError, match=r"^Can't load save_path when it is None\.$"):
        saver.restore(None)
    with pytest.raises(InvalidArgumentError,
                       match=f"^The passed save_path is not a valid checkpoint: {tmp_path}/nope"):
        saver.restore(tmp_path / "nope")
    with pytest.raises(InvalidArgumentError, match=f"pass its prefix '{path}'"):
        saver.restore(f"{path}.index")


def test_c11_damage_is_found_before_anything_is_assigned(
    tmp_path: Path, store: scopes.VariableStore
) -> None:
    path = Saver(store).save(tmp_path / "m")
    data = tmp_path / "m.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    store.update({"v1": jnp.zeros(1)})
    with pytest.raises(DataLossError, match="v2: Checksum does not match"):
        Saver(store).restore(path)
    assert store["v1"].read() == 0
    data.write_bytes(content[:-1])
    with pytest.raises(DataLossError, match="cut short"):
        Saver([store["v1"]]).restore(path)


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
    assert [name for name in files(tmp_path) if "data" not in name] == [
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
    assert files(tmp_path) == []


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
    assert files(tmp_path) == ["checkpoint", *(f"m.data-{i:05d}-of-00003" for i in range(3)),
                               "m.index"]
    assert list_variables(tmp_path) == [("a", [1]), ("b", [1]), ("c", [1])]
    Saver({"a": jnp.ones(2)}, sharded=True).save(tmp_path / "one")
    assert "one.data-00000-of-00001" in files(tmp_path)


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


# What restoring gives back


def test_plain_trees_come_back_as_new_trees(tmp_path: Path) -> None:
    tree = {"layer": {"w": jnp.ones((2, 3)), "b": np.zeros(3)}, "steps": [jnp.int32(1), (2.5,)]}
    saver = Saver(tree)
    path = saver.save(tmp_path / "m")
    assert list(CheckpointReader(path)) == ["layer/b", "layer/w", "steps/0", "steps/1/0"]
    tree["layer"]["w"] = jnp.zeros((2, 3))
    restored = saver.restore(path)
    assert (restored["layer"]["w"] == 1).all()
    assert isinstance(restored["layer"]["w"], jax.Array)
    assert isinstance(restored["layer"]["b"], np.ndarray)
    assert isinstance(restored["steps"][1], tuple)
    assert (tree["layer"]["w"] == 0).all()


def test_a_dict_is_saved_as_it_is_at_the_moment(tmp_path: Path) -> None:
    params = {"w": jnp.ones(2)}
    saver = Saver(params)
    params["w"] = params["w"] + 1
    assert CheckpointReader(saver.save(tmp_path / "m") or "")["w"].tolist() == [2.0, 2.0]


def test_values_can_be_given_to_each_save(tmp_path: Path) -> None:
    saver = Saver(max_to_keep=2)
    for step in range(3):
        saver.save(tmp_path / "m", global_step=step, variables={"w": jnp.full(2, step)})
    template = {"w": jax.ShapeDtypeStruct((2,), jnp.int32)}
    latest = latest_checkpoint(tmp_path)
    assert saver.restore(latest, variables=template)["w"].tolist() == [2, 2]
    assert saver.last_checkpoints == [f"{tmp_path}/m-1", f"{tmp_path}/m-2"]
    with pytest.raises(InvalidArgumentError, match="No variables to save"):
        saver.save(tmp_path / "m")


def test_an_nnx_module_is_saved_by_path_and_restored_in_place(tmp_path: Path) -> None:
    class Block(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.dense = nnx.Linear(2, 3, rngs=rngs)
            self.norm = nnx.BatchNorm(3, rngs=rngs)
            self.tied = self.dense
            self.layers = nnx.List([nnx.Linear(3, 3, use_bias=False, rngs=rngs)])

    block = Block(nnx.Rngs(0))
    path = Saver(block).save(tmp_path / "m")
    assert list(CheckpointReader(path)) == [
        "dense/bias", "dense/kernel", "layers/0/kernel", "norm/bias", "norm/mean", "norm/scale",
        "norm/var"]
    other = Block(nnx.Rngs(1))
    assert not (other.dense.kernel[...] == block.dense.kernel[...]).any()
    Saver(other).restore(path)
    assert (other.dense.kernel[...] == block.dense.kernel[...]).all()
    assert isinstance(other.dense.kernel.get_value(), jax.Array)


def test_a_checkpoint_of_objects_is_restored_by_path(tmp_path: Path) -> None:
    write_object_checkpoint(tmp_path / "o", {"model/w": np.float32([3])})
    assert Saver({"model/w": np.zeros(1, np.float32)}).restore(tmp_path / "o")["model/w"] == 3


def test_real_tensorflow_variables_can_be_saved_too(tmp_path: Path, tf: ModuleType) -> None:
    variable = tf.Variable([1.0, 2.0], name="w")
    path = Saver([variable]).save(tmp_path / "m")
    variable.assign([0.0, 0.0])
    Saver([variable]).restore(path)
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_a_random_key_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match=r"rng/key: .*key"):
        Saver({"rng": {"key": jax.random.key(0)}}).save(tmp_path / "m")


def test_ema_shadows_are_restored_into_their_variables(tmp_path: Path) -> None:
    from pipeline.checkpoint import variables_to_restore

    Saver({"v": np.float32(10), "v/ExponentialMovingAverage": np.float32(0.5)}).save(tmp_path / "m")
    names = variables_to_restore(["v"])
    variables = {"v": np.float32(0)}
    restored = Saver({key: variables[name] for key, name in names.items()}).restore(tmp_path / "m")
    assert restored == {"v/ExponentialMovingAverage": np.float32(0.5)}


def test_saving_the_same_name_again_replaces_it(tmp_path: Path) -> None:
    for value in range(3):
        Saver({"v": np.full(100 * (value + 1), value)}, meta_graph=b"%d" % value).save(
            tmp_path / "m")
        assert (CheckpointReader(tmp_path / "m")["v"] == value).all()
    assert files(tmp_path) == ["checkpoint", "m.data-00000-of-00001", "m.index", "m.meta"]
    assert get_checkpoint_state(tmp_path).all_model_checkpoint_paths == (f"{tmp_path}/m",)
