"""The pure form under JAX's transformations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import scopes
from pipeline.scopes import ScopeError, get_variable, transform, variable_scope

X = np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(4, 3)


def dense(x: Any, name: str, reuse: Any = None) -> Any:
    with variable_scope(name, reuse=reuse):
        weights = get_variable("weights", [3, 3])
        return jnp.tanh(jnp.matmul(x, weights) + get_variable("biases", initializer=np.zeros(3)))


def network(x: Any) -> Any:
    return dense(dense(x, "a"), "b")


def test_apply_is_pure_under_jit_grad_and_vmap() -> None:
    scoped = transform(network)
    values = scoped.init(0, X).values()
    expected, updates = scoped.apply(values, X)
    assert updates == {}

    def loss(values: Any, x: Any) -> Any:
        return (scoped.apply(values, x)[0] ** 2).sum()

    compiled = jax.jit(lambda values, x: scoped.apply(values, x)[0])(values, X)
    np.testing.assert_allclose(compiled, expected, rtol=1e-6)
    gradient = jax.grad(loss)(values, X)
    assert {name: g.shape for name, g in gradient.items()} == {
        name: value.shape for name, value in values.items()}
    per_example = jax.vmap(jax.grad(loss), (None, 0))(values, X[:, None])
    np.testing.assert_allclose(per_example["a/weights"].sum(0), gradient["a/weights"], atol=1e-5)


def test_training_in_one_scan_moves_every_variable() -> None:
    scoped = transform(network)
    values = scoped.init(0, X).values()

    def loss(values: Any) -> Any:
        return ((scoped.apply(values, X)[0] - 0.5) ** 2).mean()

    def step(values: Any, _: Any) -> Any:
        gradient = jax.grad(loss)(values)
        return {name: value - 0.3 * gradient[name] for name, value in values.items()}, loss(values)

    trained, losses = jax.jit(lambda v: jax.lax.scan(step, v, length=30))(values)
    assert losses[-1] < losses[0] / 2
    assert all((trained[name] != values[name]).any() for name in values)


def test_ensembles_by_vmap_over_seeds() -> None:
    scoped = transform(network)
    stacked = jax.vmap(lambda seed: scoped.init(seed, X).values())(jnp.arange(3))
    logits = jax.vmap(lambda values: scoped.apply(values, X)[0])(stacked)
    one = scoped.init(2, X).values()
    np.testing.assert_allclose(logits[2], scoped.apply(one, X)[0], rtol=1e-5)


def test_initial_values_depend_on_seed_and_name_alone() -> None:
    def alone(x: Any) -> Any:
        return dense(x, "b")

    many, one = transform(network).init(7, X).values(), transform(alone).init(7, X).values()
    np.testing.assert_array_equal(many["b/weights"], one["b/weights"])
    assert (many["a/weights"] != many["b/weights"]).any()
    assert (transform(alone).init(8, X).values()["b/weights"] != one["b/weights"]).any()
    with scopes.VariableStore(7).as_default() as store:
        network(X)
    np.testing.assert_array_equal(store["b/weights"][...], one["b/weights"])


def test_the_function_is_only_run_abstractly_by_init() -> None:
    seen = []

    def looking(x: Any) -> Any:
        seen.append(x)
        return dense(x, "a")

    transform(looking).init(0, X)
    assert [isinstance(x, jax.core.Tracer) for x in seen] == [True]


def test_below_checkpoint_jit_and_scan() -> None:
    def deep(x: Any) -> Any:
        x = jax.checkpoint(lambda x: dense(x, "a"))(x)
        x = jax.jit(lambda x: dense(x, "b"))(x)

        def body(x: Any, _: Any) -> Any:
            return dense(x, "c"), None

        x, _ = jax.lax.scan(body, x, length=3)
        return dense(x, "c", reuse=True)

    scoped = transform(deep)
    values = scoped.init(0, X).values()
    assert list(values) == [f"{s}/{v}" for s in "abc" for v in ("weights", "biases")]
    expected = X
    for name in "abcccc":
        expected = np.tanh(expected @ values[f"{name}/weights"] + values[f"{name}/biases"])
    with jax.check_tracer_leaks():
        result, _ = jax.jit(scoped.apply)(values, X)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_name_scopes_inside_nested_traces() -> None:
    def nested(x: Any) -> Any:
        with variable_scope("outer"):
            def body(x: Any, _: Any) -> Any:
                with variable_scope("inner"):
                    return x * 2.0, None

            return jax.lax.scan(body, x, length=2)[0]

    (loop,) = jax.make_jaxpr(lambda x: transform(nested).apply({}, x)[0])(X).eqns
    assert str(loop.source_info.name_stack) == "outer"
    (product,) = loop.params["jaxpr"].eqns
    assert str(product.source_info.name_stack) == "inner"


def test_a_name_scope_from_outside_of_the_trace_is_not_lost() -> None:
    with scopes.VariableStore().as_default():
        def inner(x: Any) -> Any:
            with variable_scope("inner"):
                return x * 2.0

        with variable_scope("outer"):
            (product,) = jax.make_jaxpr(inner)(X).eqns
            with scopes.name_scope(None), scopes.name_scope("root"):
                (elsewhere,) = jax.make_jaxpr(lambda x: inner(x))(X).eqns
    assert str(product.source_info.name_stack) == "outer/inner"
    assert str(elsewhere.source_info.name_stack) == "root/inner"


def test_updates_are_what_was_assigned() -> None:
    def counting(x: Any) -> Any:
        steps = get_variable("steps", initializer=0, trainable=False)
        total = get_variable("total", [], trainable=False, initializer=scopes.zeros_initializer())
        get_variable("untouched", [2])
        total.assign_add(jnp.sum(x))
        return steps.assign_add(1) + steps.read()

    scoped = transform(counting)
    values = scoped.init(0, X).values()
    assert values["steps"] == 0
    result, updates = jax.jit(scoped.apply)(values, X)
    assert result == 2
    assert sorted(updates) == ["steps", "total"]
    assert values["steps"] == 0


def test_random_keys_depend_on_scope_and_order() -> None:
    def drawing(names: Any) -> Any:
        keys = []
        for name in names:
            with scopes.name_scope(name):
                keys += [scopes.next_key(), scopes.next_key()]
        return [jax.random.key_data(key).tolist() for key in keys]

    def draw(names: str, seed: int) -> Any:
        return transform(lambda: drawing(names)).apply({}, key=jax.random.key(seed))[0]

    one, both = draw("b", 0), draw("ab", 0)
    assert both[2:] == one
    assert len({str(key) for key in both}) == 4
    assert draw("b", 1) != one
    with pytest.raises(ScopeError, match=r"a asks for random numbers; call apply\(…, key=…\)"):
        transform(lambda: drawing("a")).apply({})


def test_regularization_loss_is_a_function_of_the_values() -> None:
    def penalized() -> None:
        with variable_scope("a", regularizer=scopes.l2_regularizer(0.5)):
            get_variable("w", [2])
            get_variable("b", [2], regularizer=scopes.no_regularizer)
            get_variable("v", [2], regularizer=scopes.l1_regularizer(0.1))
            get_variable("n", [2], regularizer=lambda value: None)

    specs = transform(penalized).specs()
    values = {name: jnp.array([3.0, -4.0]) for name in specs}
    loss = jax.jit(lambda values: scopes.regularization_loss(specs, values))(values)
    np.testing.assert_allclose(loss, 0.5 * 25 / 2 + 0.1 * 7)


ERRORS = {
    "a/weights .* has no value; given are a/biases": lambda v: {"a/biases": v["a/biases"]},
    r"a/weights: given \(3, 4\), the model has \(3, 3\)":
        lambda v: v | {"a/weights": np.zeros((3, 4), np.float32)},
}


@pytest.mark.parametrize("text", ERRORS)
def test_values_that_do_not_fit(text: str) -> None:
    scoped = transform(lambda x: dense(x, "a"))
    values = scoped.init(0, X).values()
    with pytest.raises(ScopeError, match=text):
        scoped.apply(ERRORS[text](values), X)


def test_more_values_than_needed_are_fine() -> None:
    scoped = transform(lambda x: dense(x, "a"))
    values = scoped.init(0, X).values() | {"a/weights/Momentum": np.zeros((3, 3), np.float32)}
    assert scoped.apply(values, X)[0].shape == (4, 3)


# No tracer leaves


def in_eager_store(act: Any) -> Any:
    with scopes.VariableStore().as_default():
        v = get_variable("v", [3])
        return act(v)


LEAKS = {
    r"w: created inside a transformed function": lambda v: jax.jit(
        lambda x: get_variable("w", [3]) * x)(1.0),
    r"v: assigned inside a transformed function": lambda v: jax.jit(v.assign)(jnp.ones(3)),
    r"random numbers asked for inside": lambda v: jax.jit(
        lambda x: jax.random.normal(scopes.next_key()) * x)(1.0),
    r"u: its initial value is computed inside": lambda v: jax.jit(
        lambda x: get_variable("u", initializer=x))(1.0),
    r"Variable: its initial value is computed inside": lambda v: jax.grad(
        lambda x: scopes.Variable(x).read())(1.0),
    r"v: assigned inside": lambda v: jax.vmap(v.assign)(jnp.ones((2, 3))),
}


@pytest.mark.parametrize("text", LEAKS)
def test_no_tracer_leaves_an_eager_store(text: str) -> None:
    with jax.check_tracer_leaks(), pytest.raises(ScopeError, match=text):
        in_eager_store(LEAKS[text])


def test_no_tracer_leaves_a_loop_inside_apply() -> None:
    def looping(x: Any) -> Any:
        total = get_variable("total", [], initializer=scopes.zeros_initializer())

        def body(carry: Any, x: Any) -> Any:
            total.assign_add(x)
            return carry, None

        return jax.lax.scan(body, 0.0, x)

    with pytest.raises(ScopeError, match="total: assigned inside a transformed function"):
        transform(looping).init(0, X[0])


def test_a_jitted_function_that_outlives_the_call_sees_each_calls_values() -> None:
    layer = jax.jit(lambda x: dense(x, "a"))
    scoped, plain = transform(lambda x: layer(x).sum()), transform(lambda x: dense(x, "a").sum())
    drawn = scoped.init(0, X).values()
    acts = (lambda scoped: scoped.apply, lambda scoped: jax.jit(scoped.apply),
            lambda scoped: jax.grad(lambda *args: scoped.apply(*args)[0]))
    for act in acts:
        for scale in (1.0, 2.0):
            values = jax.tree.map(lambda value, scale=scale: value * scale, drawn)
            found, expected = act(scoped)(values, X), act(plain)(values, X)
            assert jax.tree.all(jax.tree.map(lambda a, b: jnp.allclose(a, b), found, expected))


def test_eager_apply_compiles_nothing_anew(caplog: pytest.LogCaptureFixture) -> None:
    scoped = transform(network)
    values = scoped.init(0, X).values()
    scoped.apply(values, X)
    with jax.log_compiles():
        scoped.apply(values, X)
    assert not [record for record in caplog.records if "Compiling" in record.message]


def test_initial_values_from_arguments_are_refused() -> None:
    with pytest.raises(ScopeError, match="v: its initial value is computed inside"):
        transform(lambda x: get_variable("v", initializer=x + 1.0)).init(0, X)
    late = transform(lambda x: get_variable("v", initializer=lambda: jnp.zeros(3) + 1.0)[...] + x)
    np.testing.assert_array_equal(late.init(0, X)["v"][...], np.ones(3))


def test_reuse_inside_jit_reads_the_store_from_outside() -> None:
    def found(v: Any) -> Any:
        def double(x: Any) -> Any:
            with variable_scope("", reuse=True):
                return get_variable("v", [3]) * x

        return jax.jit(double)(2.0), v[...]

    doubled, value = in_eager_store(found)
    np.testing.assert_allclose(doubled, 2.0 * value)
