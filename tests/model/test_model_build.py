"""Models from configuration: overrides, nesting, sharing, defaults, and what is refused."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import configured

from pipeline import model
from pipeline.config import ConfigError
from pipeline.scopes import ScopeError

IMAGES = np.linspace(0.0, 1.0, 2 * 784, dtype=np.float32).reshape(2, 784)


def built(scopes: dict[str, Any], **rest: Any) -> model.Network:
    return model.build(configured(model={"scopes": scopes, **rest}).model)


def dense(units: int = 10, **rest: Any) -> dict[str, Any]:
    return {"kind": "dense", "units": units, **rest}


def shapes(network: model.Network) -> dict[str, tuple[int, ...]]:
    return {name: spec.shape for name, spec in network.specs.items()}


def penalties(network: model.Network) -> dict[str, str]:
    return {n: repr(spec.regularizer) for n, spec in network.specs.items() if spec.regularizer}


def operations(network: model.Network) -> list[str]:
    values = network.init(0)
    jaxpr = jax.make_jaxpr(lambda values: network.apply(values, IMAGES)[0])(values)
    return list(dict.fromkeys(str(e.source_info.name_stack) for e in jaxpr.eqns))


def test_overrides_on_the_command_line() -> None:
    network = model.build(configured("model.scopes.layer1.units=300").model)
    assert shapes(network)["layer2/weights"] == (300, 10)
    network = model.build(configured("model=lenet", "~model.scopes.pool1").model)
    assert shapes(network)["fc1/weights"] == (2304, 120)
    with pytest.raises(ConfigError, match=r"model\.scopes\.layer1\.unit: unknown key"):
        configured("+model.scopes.layer1.unit=3")


def test_nested_scopes_and_their_defaults() -> None:
    network = built(
        {
            "encoder": {
                "kind": "scope", "dtype": "bfloat16",
                "initializer": {"kind": "constant", "value": 0.5},
                "scopes": {
                    "layer1": dense(4, initializer={"kind": "ones"}),
                    "inner": {"kind": "scope", "regularizer": {"kind": "none"},
                              "scopes": {"layer2": dense(3, bias_regularizer={
                                  "kind": "l1", "scale": 0.1})}},
                },
            },
            "logits": dense(),
        },
        initializer={"kind": "zeros"}, regularizer={"kind": "l2", "scale": 0.01},
    )
    values = network.init(0)
    assert list(values) == [f"{scope}/{name}" for scope in (
        "encoder/layer1", "encoder/inner/layer2", "logits") for name in ("weights", "biases")]
    assert [str(v.dtype) for v in values.values()] == ["bfloat16"] * 4 + ["float32"] * 2
    assert [float(v.max()) for v in values.values()] == [1.0, 0.0, 0.5, 0.0, 0.0, 0.0]
    assert penalties(network) == {
        "encoder/layer1/weights": "L2(scale=0.01)", "encoder/inner/layer2/biases": "L1(scale=0.1)",
        "logits/weights": "L2(scale=0.01)",
    }
    assert network.apply(values, IMAGES)[0].dtype == jnp.float32


def test_shared_layers() -> None:
    network = built({
        "enter": dense(6), "first": dense(6, activation="tanh"),
        "second": dense(6, activation="tanh", reuse="first"), "logits": dense(),
    })
    assert sorted(shapes(network)) == sorted(
        f"{scope}/{name}" for scope in ("enter", "first", "logits") for name in (
            "weights", "biases"))
    assert operations(network) == ["enter", "first", "second/first", "logits"]
    v = {name: np.asarray(value) for name, value in network.init(0).items()}
    x = IMAGES @ v["enter/weights"]
    for _ in range(2):
        x = np.tanh(x @ v["first/weights"] + v["first/biases"])
    expected = x @ v["logits/weights"]
    np.testing.assert_allclose(network.apply(v, IMAGES)[0], expected, rtol=1e-4, atol=1e-5)


def test_shared_scopes_of_scopes() -> None:
    block = {"kind": "scope", "residual": True, "scopes": {
        "a": dense(6, activation="relu"), "b": dense(6)}}
    network = built({"enter": dense(6), "one": block, "two": {**block, "reuse": "one"},
                     "logits": dense()})
    assert "two/a/weights" not in network.specs
    assert "one/a/weights" in network.specs
    assert network.apply(network.init(0), IMAGES)[0].shape == (2, 10)


def test_residual_adds_input_and_output() -> None:
    block = {"kind": "scope", "residual": True,
             "scopes": {"zero": dense(10, initializer={"kind": "zeros"})}}
    network = built({"enter": dense(), "block": block})
    plain = built({"enter": dense()})
    np.testing.assert_array_equal(network.apply(network.init(0), IMAGES)[0],
                                  plain.apply(plain.init(0), IMAGES)[0])


def test_half_precision_reaches_the_arithmetic() -> None:
    network = built({"a": dense(8), "logits": dense()}, dtype="bfloat16")
    jaxpr = jax.make_jaxpr(lambda values: network.apply(values, IMAGES)[0])(network.init(0))
    products = [e for e in jaxpr.eqns if str(e.primitive) == "dot_general"]
    assert [str(e.invars[0].aval.dtype) for e in products] == ["bfloat16", "bfloat16"]
    assert jaxpr.out_avals[0].dtype == jnp.float32


def test_double_precision() -> None:
    with jax.enable_x64(True):
        network = built({"logits": dense(initializer={"kind": "he_normal"})}, dtype="float64")
        values = network.init(0)
        assert {str(value.dtype) for value in values.values()} == {"float64"}
        assert network.apply(values, IMAGES)[0].dtype == jnp.float64


def test_initial_values_do_not_depend_on_other_layers() -> None:
    one = built({"logits": dense(initializer={"kind": "he_normal"})}).init(3)
    two = built({"drop": {"kind": "dropout", "rate": 0.5},
                 "logits": dense(initializer={"kind": "he_normal"})}).init(3)
    np.testing.assert_array_equal(one["logits/weights"], two["logits/weights"])


REFUSED: dict[str, Any] = {
    r"model\.scopes is empty": {},
    r"model\.scopes\.a: the network ends in \[batch, 3\]; the data has 10 classes": {
        "a": dense(3)},
    r"model\.scopes\.e\.scopes\.b: the network ends in": {
        "e": {"kind": "scope", "scopes": {"b": dense(3)}}},
    r"model\.scopes\.e: a scope of scopes needs at least one": {
        "e": {"kind": "scope", "scopes": {}}},
    r"model\.scopes\.b: reuse=x names no scope above this one; those are a, b": {
        "a": dense(), "b": dense(reuse="x")},
    r"Trying to share variable a/weights, but specified shape \(10, 10\) and found shape \(784,": {
        "a": dense(), "b": dense(reuse="a")},
    r"model\.scopes\.c: conv needs images \[batch, height, width, channels\]; it is given": {
        "c": {"kind": "conv", "filters": 2}},
    r"model\.scopes\.p: max_pool needs images": {"p": {"kind": "max_pool"}},
    r"model\.scopes\.e\.scopes\.r: residual=true adds input and output, but they are \(784,\)": {
        "e": {"kind": "scope", "scopes": {
            "r": {"kind": "scope", "residual": True, "scopes": {"a": dense(3)}}}}},
    r"model\.scopes\.a: initializer kind=zeros has no stddev": {
        "a": dense(initializer={"kind": "zeros", "stddev": 1.0})},
    r"dtype float64 needs JAX's 64-bit mode": {"a": dense(dtype="float64")},
    r"Variable a/weights does not exist": {
        "a": {"kind": "batch_norm"}, "b": dense(reuse="a")},
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_built_is_refused_by_key(text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        built(REFUSED[text])


def test_windows_larger_than_the_image() -> None:
    pools = {f"p{i}": {"kind": "max_pool", "size": 4} for i in range(3)}
    with pytest.raises(ConfigError, match=r"model\.scopes\.p2: max_pool: its window is larger"):
        built({**pools, "logits": dense()}, input_shape=[28, 28, 1])


@pytest.mark.parametrize("name", ["a/b", "a//b", "_x", "a b", "", "a.b", "-x"])
def test_names_that_no_override_could_reach(name: str) -> None:
    with pytest.raises(ConfigError):
        built({name: dense()})


def test_apply_says_what_does_not_fit() -> None:
    network = built({"logits": dense()})
    values = network.init(0)
    with pytest.raises(ScopeError, match=r"images have shape \(2, 28, 28\), expected \[batch, 784"):
        network.apply(values, IMAGES.reshape(2, 28, 28))
    with pytest.raises(ScopeError, match=r"logits/biases \(10,\) has no value"):
        network.apply({"logits/weights": values["logits/weights"]}, IMAGES)


def test_input_is_what_tf1_read() -> None:
    network = model.build(configured("model=lenet").model)
    pixels = np.arange(784, dtype=np.uint8).reshape(1, 28, 28)
    images = model.to_input(network, pixels)
    assert images.shape == (1, 28, 28, 1)
    np.testing.assert_array_equal(np.ravel(images), np.ravel(pixels) * np.float32(1.0 / 255.0))
    small = built({"logits": dense()}, input_shape=[100])
    with pytest.raises(ConfigError, match=r"model\.input_shape=\[100\] does not hold images"):
        model.to_input(small, pixels)


def test_the_table_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    network = model.build(configured("model=cnn").model)
    rows = model.variable_table(network)
    assert sum(row.count for row in rows) == 320218
    assert {row.scope for row in rows if not row.trainable} == {"bn1", "bn2", "bn3"}
    model.print_variable_table(network)
    printed = capsys.readouterr().out
    assert "cnn: [28, 28, 1] → 10" in printed
    assert "5 × 5 × 1 × 16" in printed
    assert "19 variables" in printed
    assert "319,994 trainable" in printed
