"""orbax ↔ TensorFlow: any tree, a checkpoint of TensorFlow's, and a training step's own names."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest

from pipeline.checkpoint import CheckpointReader, Saver, load_checkpoint, write_bundle
from pipeline.persistence import PersistenceError
from pipeline.persistence.convert import convert


def save_step(directory: Path, tree: object) -> Path:
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(directory, tree)
    return directory


def test_any_tree_and_back(tmp_path: Path, tf: ModuleType) -> None:
    tree = {"params": {"layer1/weights": jnp.ones((3, 4)), "b": jnp.zeros(2, jnp.bfloat16)},
            "step": jnp.int32(3), "rest": [np.arange(3), jnp.float32(0.5)]}
    prefix = convert(save_step(tmp_path / "step", tree), tmp_path / "tf" / "model.ckpt")
    theirs = tf.train.load_checkpoint(str(prefix))
    assert theirs.get_variable_to_shape_map() == {
        "params/layer1/weights": [3, 4], "params/b": [2], "step": [], "rest/0": [3], "rest/1": []}
    assert theirs.get_tensor("rest/0").tolist() == [0, 1, 2]
    back = convert(prefix, tmp_path / "back")
    with ocp.StandardCheckpointer() as checkpointer:
        found = checkpointer.restore(back)
    for name, value in CheckpointReader(prefix).items():
        assert found[name].dtype == value.dtype
        assert np.array_equal(found[name], value)


def test_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that sort otherwise than paths, in batches of a few tensors."""
    monkeypatch.setattr("pipeline.persistence.convert._BATCH_BYTES", 100)
    tree = {"state": {"step": jnp.int32(1), "params": {
        f"layer{i}/weights": jnp.full(5, i, jnp.float32) for i in range(12)}, "ema": {
        f"layer{i}/weights": jnp.full(5, -i, jnp.float32) for i in range(12)}}}
    reader = CheckpointReader(convert(save_step(tmp_path / "s", tree), tmp_path / "m"))
    assert len(reader) == 25
    for i in range(12):
        assert (reader[f"layer{i}/weights"] == i).all()
        assert (reader[f"layer{i}/weights/ExponentialMovingAverage"] == -i).all()


def test_a_training_step_gets_tensorflows_names(tmp_path: Path) -> None:
    params = {"layer1/weights": jnp.ones((2, 3)), "layer1/biases": jnp.zeros(3)}
    state = {"step": jnp.int32(7), "params": params, "statistics": {"bn/moving_mean": jnp.ones(2)},
             "opt_state": optax.adam(1e-3).init(params), "ema": {},
             "key": jax.random.key_data(jax.random.key(0))}
    tree = {"state": state, "batches": {"order": np.arange(3)}}
    reader = CheckpointReader(convert(save_step(tmp_path / "s", tree), tmp_path / "m"))
    assert list(reader) == [
        "bn/moving_mean", "global_step", "layer1/biases", "layer1/biases/Adam",
        "layer1/biases/Adam_1", "layer1/weights", "layer1/weights/Adam", "layer1/weights/Adam_1"]
    assert reader["global_step"].dtype == np.int64
    assert reader["global_step"] == 7


def test_objects_of_tensorflow_2_by_path(tmp_path: Path, tf: ModuleType) -> None:
    module = tf.Module()
    module.kernel = tf.Variable([1.0, 2.0])
    tf.saved_model.save(module, str(tmp_path / "sm"))
    with ocp.StandardCheckpointer() as checkpointer:
        found = checkpointer.restore(convert(tmp_path / "sm", tmp_path / "out"))
    assert found["kernel"].tolist() == [1.0, 2.0]


def test_what_cannot_be_converted(tmp_path: Path) -> None:
    prefix = tmp_path / "m"
    write_bundle(prefix, {"s": np.array([b"x"], np.object_)})
    with pytest.raises(PersistenceError, match=r"orbax holds no strings, and \['s'\] are"):
        convert(prefix, tmp_path / "out")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PersistenceError, match="a text file that begins: hello; expected an orbax"):
        convert(tmp_path / "text", tmp_path / "out")
    Saver({"v": np.ones(1)}).save(prefix)
    step = convert(prefix, tmp_path / "out")
    for source, target in ((prefix, step), (step, prefix)):
        with pytest.raises(PersistenceError, match="exists; remove it"):
            convert(source, target)
    assert load_checkpoint(prefix)["v"] == 1
