"""flax nnx modules in scopes: names, state, random streams, reuse."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from pipeline import scopes
from pipeline.scopes import ScopeError, get_module, variable_scope

X = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(6, 4)


class Block(nnx.Module):
    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.fc = nnx.Linear(width, width, rngs=rngs)
        self.norm = nnx.BatchNorm(width, momentum=0.5, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.drop(nnx.relu(self.norm(self.fc(x))))


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs, width: int = 5) -> None:
        self.fc = nnx.Linear(4, width, use_bias=False, rngs=rngs)
        self.blocks = nnx.List([Block(width, rngs) for _ in range(2)])
        self.tied = self.fc

    def __call__(self, x: Any) -> Any:
        x = self.fc(x)
        for block in self.blocks:
            x = block(x)
        return x


def build(rngs: nnx.Rngs) -> Net:
    return Net(rngs=rngs)


def network(x: Any, training: bool = False) -> Any:
    with variable_scope("net"):
        return get_module(build, training)(x)


NAMES = [f"net/blocks/{i}/{leaf}" for i in range(2) for leaf in (
    "fc/bias", "fc/kernel", "norm/bias", "norm/mean", "norm/scale", "norm/var")]


def test_variables_are_named_by_path() -> None:
    specs = scopes.transform(network).specs(X)
    assert sorted(specs) == sorted([*NAMES, "net/fc/kernel"])
    untrained = [name for name, spec in specs.items() if not spec.trainable]
    assert untrained == [name for name in specs if name.endswith(("mean", "var"))]
    assert specs["net/fc/kernel"].shape == (4, 5)


def test_it_computes_what_flax_computes() -> None:
    scoped = scopes.transform(network)
    values = scoped.init(0, X).values()
    module = build(nnx.Rngs(1))
    state = nnx.to_flat_state(nnx.state(module))
    for path, leaf in state:
        name = "net/" + "/".join(map(str, path))
        if name in values:
            leaf.set_value(values[name])
    module.eval()
    np.testing.assert_allclose(scoped.apply(values, X)[0], module(X), rtol=1e-6)


def test_training_moves_statistics_and_drops() -> None:
    scoped = scopes.transform(network)
    values = scoped.init(0, X).values()
    apply = jax.jit(scoped.apply, static_argnames="training")
    first, updates = apply(values, X, training=True, key=jax.random.key(0))
    assert sorted(updates) == sorted(name for name in values if name.endswith(("mean", "var")))
    same, _ = apply(values, X, training=True, key=jax.random.key(0))
    other, _ = apply(values, X, training=True, key=jax.random.key(1))
    np.testing.assert_array_equal(first, same)
    assert (first == 0).mean() > 0.4
    assert (first != other).any()
    with pytest.raises(ScopeError, match="asks for random numbers"):
        scoped.apply(values, X, training=True)


def test_inference_draws_nothing() -> None:
    scoped = scopes.transform(network)
    values = scoped.init(0, X).values()
    jaxpr = jax.make_jaxpr(lambda values: scoped.apply(values, X)[0])(values)
    assert not [e for e in jaxpr.eqns if "random" in str(e.primitive)]


def test_operations_are_named_by_path() -> None:
    scoped = scopes.transform(network)
    values = scoped.init(0, X).values()
    jaxpr = jax.make_jaxpr(lambda values: scoped.apply(values, X)[0])(values)
    names = list(dict.fromkeys(str(e.source_info.name_stack) for e in jaxpr.eqns))
    assert names == ["net/fc", *(f"net/blocks/{i}{part}" for i in range(2)
                                 for part in ("/fc", "/norm", ""))]


class Recurrent(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.rnn = nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs))

    def __call__(self, x: Any) -> Any:
        return self.rnn(x[None])[0]


def test_modules_that_scan() -> None:
    scoped = scopes.transform(lambda x: get_module(lambda rngs: Recurrent(rngs=rngs))(x))
    values = scoped.init(0, X).values()
    assert all(name.startswith("rnn/cell/") for name in values)
    result = jax.jit(scoped.apply)(values, X)[0]
    assert result.shape == (6, 3)
    np.testing.assert_allclose(scoped.apply(values, X)[0], result, rtol=1e-5)
    gradient = jax.grad(lambda values: scoped.apply(values, X)[0].sum())(values)
    assert all((g != 0).any() for g in gradient.values())


def test_reuse_shares_the_variables() -> None:
    with scopes.VariableStore().as_default() as store:
        with variable_scope("net"):
            module = get_module(build)
        with variable_scope("net", reuse=True):
            again = get_module(build, training=True)
        assert again.fc.kernel is module.fc.kernel is store["net/fc/kernel"]
        before = store["net/blocks/0/norm/mean"][...]
        again(X)
        assert (store["net/blocks/0/norm/mean"][...] != before).any()
        with variable_scope("net"), pytest.raises(ScopeError, match=r"net/.* already exists"):
            get_module(build)
        with variable_scope("other", reuse=True), pytest.raises(ScopeError, match="does not exist"):
            get_module(build)


def test_adopted_variables_have_names_and_collections() -> None:
    with scopes.VariableStore().as_default() as store, variable_scope("net") as scope:
        get_module(build)
        assert [v.name for v in scope.trainable_variables()][:2] == [
            "net/blocks/0/fc/bias:0", "net/blocks/0/fc/kernel:0"]
        assert isinstance(store["net/fc/kernel"], nnx.Param)
        mean = store["net/blocks/0/norm/mean"]
        assert isinstance(mean, nnx.BatchStat)
        assert str(mean) == "<Variable 'net/blocks/0/norm/mean:0' shape=(5,) dtype=float32>"
        update = scopes.ExponentialMovingAverage(0.5).apply([store["net/fc/kernel"]])
        store["net/fc/kernel"].assign_add(1.0)
        update()
        graphdef, params, rest = nnx.split(store, nnx.Param, ...)
        assert nnx.merge(graphdef, params, rest)["net/fc/kernel"].op_name == "net/fc/kernel"


def test_the_scopes_regularizer_applies_from_two_axes_on() -> None:
    def penalized(x: Any) -> Any:
        with variable_scope("net", regularizer=scopes.l2_regularizer(1.0)):
            return get_module(build)(x)

    specs = scopes.transform(penalized).specs(X)
    assert {name for name, spec in specs.items() if spec.regularizer} == {
        name for name in specs if name.endswith("kernel")}


def test_initial_values_depend_on_seed_and_scope() -> None:
    one = scopes.transform(network).init(0, X).values()
    again = scopes.transform(network).init(0, X).values()
    other = scopes.transform(network).init(1, X).values()
    assert all((one[name] == again[name]).all() for name in one)
    assert (one["net/fc/kernel"] != other["net/fc/kernel"]).any()
    with scopes.VariableStore(0).as_default() as store:
        network(X)
    np.testing.assert_array_equal(store["net/fc/kernel"][...], one["net/fc/kernel"])


class Odd(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.table = nnx.Param({"a": jnp.zeros(3)})


def test_a_variable_that_is_no_array_is_refused() -> None:
    with scopes.VariableStore().as_default(), pytest.raises(ScopeError, match=r"table: .* a dict"):
        get_module(lambda rngs: Odd(rngs=rngs))
