"""Trees of arrays, records and modules: what they are saved as, and how they come back."""

from __future__ import annotations

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from flax.training.train_state import TrainState

from pipeline.checkpoint import (
    CheckpointReader,
    InvalidArgumentError,
    InvalidTypeError,
    Saver,
    get_variables_to_restore,
    init_from_checkpoint,
    latest_checkpoint,
    list_variables,
)


class Block(nnx.Module):
    """Variables, arrays and random streams wherever a module of nnx may have them."""

    def __init__(self, seed: int) -> None:
        self.shape, self.dtype = (2, 3), jnp.float32
        self.rngs = nnx.Rngs(seed)
        self.dense = nnx.Linear(2, 3, rngs=self.rngs)
        self.norm = nnx.BatchNorm(3, rngs=self.rngs)
        self.drop = nnx.Dropout(0.5, rngs=self.rngs)
        self.tied = self.dense
        self.layers = nnx.List([nnx.Linear(3, 3, use_bias=False, rngs=self.rngs)])
        self._hidden = nnx.Param(jnp.full(2, float(seed)))
        self.table = nnx.data(jnp.full(4, float(seed)))


OF_BLOCK = ["_hidden", "dense/bias", "dense/kernel", "layers/0/kernel", "norm/bias", "norm/mean",
            "norm/scale", "norm/var", "table"]


def same(one: nnx.Module, other: nnx.Module) -> bool:
    """Whether all that nnx counts as state is equal, random streams aside."""
    states = [nnx.to_pure_dict(nnx.state(module, nnx.Not(nnx.RngState))) for module in (one, other)]
    return jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), *states))


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
    block, other = Block(0), Block(1)
    path = Saver(block).save(tmp_path / "m")
    assert list(CheckpointReader(path)) == OF_BLOCK
    assert list(CheckpointReader(Saver({"block": block}).save(tmp_path / "d"))) == [
        f"block/{name}" for name in OF_BLOCK]
    assert not same(block, other)
    Saver(other).restore(path)
    assert same(block, other)
    assert isinstance(other.dense.kernel.get_value(), jax.Array)


def test_a_state_of_nnx_takes_and_gives_the_same_names(tmp_path: Path) -> None:
    block, other = Block(0), Block(1)
    path = Saver(nnx.state(block)).save(tmp_path / "m")
    assert list(CheckpointReader(path)) == OF_BLOCK
    pure = nnx.to_pure_dict(nnx.state(other, nnx.Not(nnx.RngState)))
    nnx.update(other, Saver(pure).restore(path))
    assert same(block, other)


def test_an_optimizer_of_nnx_beside_its_module(tmp_path: Path) -> None:
    def trained(seed: int, steps: int) -> dict[str, object]:
        model = nnx.Linear(2, 3, rngs=nnx.Rngs(seed))
        optimizer = nnx.Optimizer(model, optax.adam(0.1), wrt=nnx.Param)
        for _ in range(steps):
            optimizer.update(model, nnx.grad(lambda model: (model(jnp.ones(2)) ** 2).sum())(model))
        return {"model": model, "optimizer": optimizer}

    one, other = trained(0, 3), trained(1, 0)
    Saver(other).restore(Saver(one).save(tmp_path / "m"))
    assert same(one["model"], other["model"])
    assert same(one["optimizer"], other["optimizer"])
    assert ("optimizer/opt_state/0/mu/kernel", [2, 3]) in list_variables(tmp_path)


def test_a_train_state_comes_back_as_one(tmp_path: Path) -> None:
    """Its step is a number at first and int32 after a jitted step: the number takes either."""
    fresh = TrainState.create(apply_fn=None, params={"w": jnp.ones(3)}, tx=optax.adam(0.1))
    advance = jax.jit(lambda state: state.apply_gradients(grads={"w": jnp.ones(3)}))
    trained = advance(fresh)
    path = Saver(trained).save(tmp_path / "m")
    assert list(CheckpointReader(path)) == [
        "opt_state/0/count", "opt_state/0/mu/w", "opt_state/0/nu/w", "params/w", "step"]
    restored = Saver(fresh).restore(path)
    assert jax.tree.structure(restored) == jax.tree.structure(trained)
    assert restored.step == 1
    assert type(restored.step) is int
    assert (advance(restored).params["w"] == advance(trained).params["w"]).all()
    assert (fresh.params["w"] == 1).all()


def test_states_of_optax_keep_their_kinds(tmp_path: Path) -> None:
    params = {"w": jnp.ones(3), "b": jnp.zeros(())}
    optimizer = optax.chain(optax.clip(1.0), optax.sgd(optax.constant_schedule(0.1), momentum=0.9))
    tree = {"params": params, "opt_state": optimizer.update(params, optimizer.init(params))[1]}
    template = {"params": params, "opt_state": optimizer.init(params)}
    restored = Saver(template).restore(Saver(tree).save(tmp_path / "m"))
    assert jax.tree.structure(restored) == jax.tree.structure(tree)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), restored, tree))


def test_a_module_of_equinox_is_made_anew(tmp_path: Path) -> None:
    def network(seed: int) -> eqx.nn.MLP:
        return eqx.nn.MLP(2, 3, 4, 1, key=jax.random.key(seed))

    path = Saver(network(0)).save(tmp_path / "m")
    assert list(CheckpointReader(path)) == [
        "layers/0/bias", "layers/0/weight", "layers/1/bias", "layers/1/weight"]
    template = network(1)
    assert eqx.tree_equal(Saver(template).restore(path), network(0))
    assert eqx.tree_equal(template, network(1))
    half = init_from_checkpoint(path, {"layers/0/": "layers/0/"}, template)
    assert (half.layers[0].weight == network(0).layers[0].weight).all()
    assert (half.layers[1].weight == network(1).layers[1].weight).all()


def test_arrays_of_any_object_are_assigned_to(tmp_path: Path) -> None:
    class Model:
        def __init__(self, value: float) -> None:
            self.w = np.full(2, value)
            self.layers = [{"b": jnp.full(1, value)}]
            self._cache = np.zeros(9)

    model = Model(1.0)
    chosen = get_variables_to_restore(model, include=["layers"])
    model.layers[0]["b"] = jnp.full(1, 5.0)
    path = Saver(chosen).save(tmp_path / "part")
    assert CheckpointReader(path)["layers/0/b"] == 5.0
    path = Saver(model).save(tmp_path / "m")
    assert list(CheckpointReader(path)) == ["layers/0/b", "w"]
    other = Model(2.0)
    Saver(other).restore(path)
    assert (other.w.tolist(), other.layers[0]["b"].tolist()) == ([1.0, 1.0], [5.0])
    model.layers = (np.ones(1),)
    with pytest.raises(InvalidTypeError, match="layers/0: a tuple holds this array, where none"):
        Saver(model)


def test_numbers_take_any_dtype_of_their_kind(tmp_path: Path) -> None:
    path = Saver({"f": np.float32(0.5), "i": np.uint8(3), "b": np.bool_(True)}).save(tmp_path / "m")
    restored = Saver({"f": 0.0, "i": 0, "b": False}).restore(path)
    assert restored == {"f": 0.5, "i": 3, "b": True}
    assert list(map(type, restored.values())) == [float, int, bool]
    for wrong in ({"f": 0}, {"i": 0.0}, {"i": False}, {"b": 0}):
        with pytest.raises(InvalidArgumentError, match="checkpoint has DT_"):
            Saver(wrong).restore(path)


def test_strings_keep_the_zero_bytes_they_end_with(tmp_path: Path) -> None:
    tree = {"a": b"x\0\0", "b": "\0", "c": b""}
    reader = CheckpointReader(Saver(tree).save(tmp_path / "m") or "")
    assert [reader[name].item() for name in tree] == [b"x\0\0", b"\0", b""]


def test_what_is_no_array_is_refused_by_name() -> None:
    for found in (lambda: 0, optax.adam, np.float32, None):
        with pytest.raises(InvalidTypeError, match="Not a variable: a/0 is"):
            Saver({"w": np.ones(1), "a": [found]})


def test_a_random_key_is_refused_by_name(tmp_path: Path) -> None:
    keys = {"rng": {"key": jax.random.key(0)}}
    with pytest.raises(InvalidTypeError, match=r"rng/key: .*save jax\.random\.key_data\(key\)"):
        Saver(keys).save(tmp_path / "m")
    path = Saver({"rng": {"key": np.ones(2)}}).save(tmp_path / "m")
    with pytest.raises(InvalidTypeError, match=r"rng/key: .*save jax\.random\.key_data\(key\)"):
        Saver(keys).restore(path)
