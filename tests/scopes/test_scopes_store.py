"""The store as a flax nnx module and as a pytree; the default store; threads and tasks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from pipeline import scopes
from pipeline.scopes import (
    ScopeError,
    ScopeKeyError,
    ScopeTypeError,
    get_variable,
    variable_scope,
)


def made(seed: int = 0) -> scopes.VariableStore:
    store = scopes.VariableStore(seed)
    with store.as_default(), variable_scope("z"):
        get_variable("w", [2, 3])
        get_variable("a", initializer=np.float32([1.0, 2.0]), trainable=False)
    return store


def test_values_and_specs_are_in_order_of_creation() -> None:
    store = made()
    assert list(store.values()) == list(store.specs()) == ["z/w", "z/a"]
    spec = store.specs()["z/a"]
    assert (spec.shape, str(spec.dtype), spec.trainable, spec.size) == ((2,), "float32", False, 2)
    copy = nnx.clone(store)
    assert list(copy.values()) == ["z/w", "z/a"]


def test_it_is_a_pytree() -> None:
    store = made()
    doubled = jax.tree.map(lambda x: x * 2 if x.dtype == np.float32 else x, store)
    np.testing.assert_array_equal(doubled["z/a"][...], [2.0, 4.0])
    assert doubled["z/a"].name == "z/a:0"
    with doubled.as_default(), variable_scope("z", reuse=True):
        assert get_variable("a", [2]) is doubled["z/a"]


def test_nnx_filters_find_the_trainable_ones() -> None:
    graphdef, trainable, rest = nnx.split(made(), nnx.Param, ...)
    assert list(trainable["variables"]) == ["z/w"]
    again = nnx.merge(graphdef, trainable, rest)
    with again.as_default(), variable_scope("z"), pytest.raises(ScopeError, match="already exists"):
        get_variable("w", [2, 3])


def test_nnx_jit_carries_assignments_and_creations() -> None:
    store = made()

    @nnx.jit
    def act(store: Any, x: Any) -> Any:
        with store.as_default(), variable_scope("z", reuse=scopes.AUTO_REUSE):
            get_variable("a").assign_add(x)
            return get_variable("new", initializer=np.float32(3.0)) * x

    assert act(store, jnp.ones(2)).tolist() == [3.0, 3.0]
    assert store["z/a"][...].tolist() == [2.0, 3.0]
    assert store["z/new"][...] == 3.0
    with store.as_default(), variable_scope("z"), pytest.raises(ScopeError, match="already exists"):
        get_variable("new", [])


def test_nnx_grad_and_random_streams() -> None:
    store = made()

    @nnx.jit
    def act(store: Any) -> Any:
        with store.as_default():
            noise = jax.random.normal(scopes.next_key(), (2, 3))
            return nnx.grad(lambda s: (s["z/w"][...] * noise).sum())(store)

    first, second = act(store), act(store)
    assert (first["variables"]["z/w"][...] != second["variables"]["z/w"][...]).all()


def test_traces_of_one_store_name_operations_alike() -> None:
    store = made()
    names = []

    @nnx.jit
    def act(store: Any, x: Any) -> Any:
        with store.as_default(), variable_scope("z", reuse=True):
            names.append(scopes.current_name_scope())
            return get_variable("a") * x

    act(store, jnp.ones(2))
    act(store, jnp.ones((1, 2)))
    assert names == ["z", "z"]


def test_names_with_colon_zero() -> None:
    store = made()
    assert store["z/w:0"] is store["z/w"]
    assert "z/w:0" in store
    assert "items" not in store
    with pytest.raises(ScopeKeyError, match="z/q does not exist; the store holds z/w, z/a"):
        store["z/q"]


def test_update_checks_names_and_shapes() -> None:
    store = made()
    store.update({"z/a": np.array([5, 6])})
    assert store["z/a"][...].tolist() == [5.0, 6.0]
    with pytest.raises(ScopeError, match=r"z/a: given \(3,\), the variable has \(2,\)"):
        store.update({"z/a": np.zeros(3)})
    with pytest.raises(ScopeKeyError):
        store.update({"nope": np.zeros(3)})
    with pytest.raises(ScopeError, match=r"z/a: assigned a value of shape \(1,\)"):
        store["z/a"].assign([1.0])


def test_the_default_store_can_be_forgotten() -> None:
    scopes.reset_default_store()
    get_variable("v", [1])
    scopes.reset_default_store(seed=3)
    get_variable("v", [1])
    with scopes.VariableStore().as_default(), pytest.raises(ScopeError, match="leave that block"):
        scopes.reset_default_store()
    scopes.reset_default_store()


def test_reentering_a_store_goes_on_where_it_was() -> None:
    store = scopes.VariableStore()
    for expected in ("bar", "bar_1"):
        with store.as_default(), variable_scope(None, "bar") as scope:
            assert scope.name == expected
    with store.as_default(), variable_scope("a"), store.as_default():
        assert get_variable("v", [1]).name == "a/v:0"
    with store.as_default(), variable_scope("a"), scopes.VariableStore().as_default():
        assert get_variable("v", [1]).name == "v:0"


def in_thread(act: Any) -> Any:
    result = []
    thread = threading.Thread(target=lambda: result.append(act()))
    thread.start()
    thread.join()
    return result[0]


def test_a_thread_starts_at_the_root_of_the_same_store() -> None:
    store = scopes.VariableStore()
    with store.as_default(), variable_scope("main", reuse=scopes.AUTO_REUSE) as scope:
        v = get_variable("v", [1])

        def other() -> Any:
            with store.as_default():
                root = scopes.get_variable_scope().name
                with variable_scope(scope):
                    return root, scopes.get_variable_scope().name, get_variable("v", [1]) is v

        assert in_thread(other) == ("", "main", True)
        assert scopes.get_variable_scope().name == "main"


def test_each_thread_has_its_own_default_store() -> None:
    assert in_thread(scopes.current_store) is not in_thread(scopes.current_store)
    assert scopes.current_store() is scopes.current_store()


def test_tasks_that_take_turns_keep_their_scopes() -> None:
    async def act(name: str) -> list[str]:
        seen = []
        with variable_scope(name):
            for part in "xy":
                await asyncio.sleep(0)
                with variable_scope(part):
                    await asyncio.sleep(0)
                    seen.append(get_variable("v", [1]).name)
                    # a function of its own: JAX remembers what it traced
                    jaxpr = jax.make_jaxpr(lambda x: traced(x))(1.0)
                    seen.append(str(jaxpr.eqns[0].source_info.name_stack))
        return seen

    def traced(x: Any) -> Any:
        with variable_scope("t"):
            return x * 2.0

    async def both() -> Any:
        with scopes.VariableStore().as_default():
            return await asyncio.gather(act("a"), act("b"))

    a, b = asyncio.run(both())
    assert a == ["a/x/v:0", "a/x/t", "a/y/v:0", "a/y/t"]
    assert b == ["b/x/v:0", "b/x/t", "b/y/v:0", "b/y/t"]


def test_equality_is_identity() -> None:
    first, second = made(), made()
    assert first["z/w"] == first["z/w"]
    assert first["z/w"] != second["z/w"]
    assert str(first["z/w"]) == "<Variable 'z/w:0' shape=(2, 3) dtype=float32>"
    assert len({first["z/w"], second["z/w"], first["z/w"]}) == 2


REFUSED = {
    "partitioner": lambda: variable_scope("a", partitioner=3),
    "use_resource": lambda: get_variable("v", [1], use_resource=True),
    "constraint": lambda: get_variable("v", [1], constraint=abs),
    "no argument 'initialiser'": lambda: get_variable("v", [1], initialiser=3),
    "strings are not supported": lambda: get_variable("v", [1], dtype=str),
    "float64 needs JAX's 64-bit mode": lambda: get_variable("v", [1], dtype="float64"),
    "'' is not a valid root scope name": lambda: get_variable("", [1]),
    "needs a name; found an empty": lambda: get_variable("v/", [1]),
    "'u/': a variable needs a name": lambda: scopes.Variable(1.0, name="u/"),
    "holds 3 values": lambda: get_variable(
        "v", [2], initializer=scopes.constant_initializer([1, 2, 3])),
    "must be a list of names": lambda: get_variable("v", [1], collections="mine"),
    "sizes must be 0 or more": lambda: get_variable("v", [-1]),
    "a random initializer cannot fill": lambda: get_variable(
        "v", [1], dtype="int32", initializer=scopes.truncated_normal_initializer()),
    "two or more axes": lambda: get_variable(
        "v", [1], initializer=scopes.orthogonal_initializer()),
    r"its initializer made \(3,\), declared is \(2,\)": lambda: get_variable(
        "v", [2], initializer=lambda key, shape, dtype: jnp.zeros(3)),
    "scale must be 0 or more": lambda: scopes.l2_regularizer(-1.0),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refusals_say_why(text: str) -> None:
    with scopes.VariableStore().as_default(), pytest.raises(ScopeError, match=text):
        REFUSED[text]()


def test_a_failed_creation_leaves_nothing_behind() -> None:
    with scopes.VariableStore().as_default() as store:
        with pytest.raises(ScopeError):
            get_variable("v", [2], initializer=lambda key, shape, dtype: jnp.zeros(3))
        assert get_variable("v", [2]).name == "v:0"
        assert len(store) == 1


def test_the_error_says_where_the_variable_was_made() -> None:
    with scopes.VariableStore().as_default():
        get_variable("v", [2])
        with pytest.raises(ScopeError, match=r"Originally defined at .*test_scopes_store\.py:\d+"):
            get_variable("v", [2])


def test_regularization_losses_follow_the_values() -> None:
    with scopes.VariableStore().as_default(), variable_scope("a"):
        v = get_variable("v", initializer=np.float32([1.0, 2.0]),
                         regularizer=scopes.l2_regularizer(1.0))
        (loss,) = scopes.get_regularization_losses("a")
        assert loss.name == "a/v/Regularizer"
        assert scopes.get_regularization_loss() == loss.value() == 2.5
        v.assign([0.0, 2.0])
        assert scopes.get_regularization_loss() == 2.0
        assert scopes.get_regularization_loss("b") == 0.0


@pytest.mark.parametrize("name", [None, 3, b"v"])
def test_a_name_is_a_string(name: Any) -> None:
    with scopes.VariableStore().as_default(), variable_scope("a"):
        with pytest.raises(ScopeTypeError, match=r"a name must be a string; found"):
            get_variable(name, [1])
        for wrong in (lambda: scopes.Variable(1.0, name=name), lambda: scopes.name_scope(name),
                      lambda: variable_scope(None, name)):
            if name is not None:
                with pytest.raises(ScopeTypeError, match=r"a name must be a string; found"):
                    wrong()
