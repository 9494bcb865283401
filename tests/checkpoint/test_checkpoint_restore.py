"""`Saver.restore`: what it assigns, and what it refuses (tf1_semantics.md C4–C11)."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import scopes
from pipeline.checkpoint import (
    DataLossError,
    InvalidArgumentError,
    NotFoundError,
    Saver,
    variables_to_restore,
    write_object_checkpoint,
)


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


def test_a_checkpoint_of_objects_is_restored_by_path(tmp_path: Path) -> None:
    write_object_checkpoint(tmp_path / "o", {"model/w": np.float32([3])})
    assert Saver({"model/w": np.zeros(1, np.float32)}).restore(tmp_path / "o")["model/w"] == 3


def test_real_tensorflow_variables_can_be_saved_too(tmp_path: Path, tf: ModuleType) -> None:
    variable = tf.Variable([1.0, 2.0], name="w")
    path = Saver([variable]).save(tmp_path / "m")
    variable.assign([0.0, 0.0])
    Saver([variable]).restore(path)
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_ema_shadows_are_restored_into_their_variables(tmp_path: Path) -> None:
    Saver({"v": np.float32(10), "v/ExponentialMovingAverage": np.float32(0.5)}).save(tmp_path / "m")
    names = variables_to_restore(["v"])
    variables = {"v": np.float32(0)}
    restored = Saver({key: variables[name] for key, name in names.items()}).restore(tmp_path / "m")
    assert restored == {"v/ExponentialMovingAverage": np.float32(0.5)}
