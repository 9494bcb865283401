"""A user's own flax nnx module, named in configuration."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import configured

from pipeline import model
from pipeline.config import ConfigError
from pipeline.data.description import Description, numbered

PERCEPTRON = ("model=module", "model.module=configured_module.Perceptron")
IMAGES = np.linspace(0.0, 1.0, 3 * 784, dtype=np.float32).reshape(3, 784)


def built(*overrides: str) -> model.Network:
    return model.build(configured(*overrides).model)


def test_it_is_a_network_like_ours() -> None:
    network = built(*PERCEPTRON, "+model.arguments.width=32")
    assert {name: spec.shape for name, spec in network.specs.items()} == {
        "hidden/bias": (32,), "hidden/kernel": (784, 32), "out/bias": (10,), "out/kernel": (32, 10)}
    values = network.init(0)
    logits, updates = jax.jit(network.apply)(values, IMAGES)
    assert (logits.shape, updates) == ((3, 10), {})
    dropped, _ = network.apply(values, IMAGES, training=True, key=jax.random.key(0))
    assert (dropped != logits).any()
    again = {name: np.asarray(value) for name, value in network.init(0).items()}
    assert all((again[name] == values[name]).all() for name in values)


def test_it_trains() -> None:
    network = built(*PERCEPTRON, "+model.arguments.width=16")

    def loss(values: Any) -> Any:
        logits, _ = network.apply(values, IMAGES, training=True, key=jax.random.key(1))
        return -jax.nn.log_softmax(logits)[:, 3].mean()

    def step(values: Any, _: Any) -> Any:
        gradient = jax.grad(loss)(values)
        return jax.tree.map(lambda v, g: v - 0.05 * g, values, gradient), loss(values)

    _, losses = jax.lax.scan(step, network.init(0), length=20)
    assert losses[-1] < losses[0] / 2


def test_its_weights_are_regularized() -> None:
    network = built(*PERCEPTRON, "+model.arguments.width=4", "+model.regularizer.kind=l2",
                    "+model.regularizer.scale=0.5")
    values = network.init(0)
    expected = sum(0.25 * jnp.sum(values[f"{name}/kernel"] ** 2) for name in ("hidden", "out"))
    np.testing.assert_allclose(network.regularization_loss(values), expected, rtol=1e-6)


REFUSED = {
    "module=nope.Net: No module named 'nope'": ("model=module", "model.module=nope.Net"),
    "module configured_module has no Nope": ("model=module", "model.module=configured_module.Nope"),
    "expected package.module.Name": ("model=module", "model.module=Perceptron"),
    "unexpected keyword argument 'widht'": (*PERCEPTRON, "+model.arguments.widht=3"),
    "is the class collections.OrderedDict; expected a subclass of flax's Module": (
        "model=module", "model.module=collections.OrderedDict"),
    "is a function; expected a subclass of flax's Module": (
        "model=module", "model.module=hydra.utils.instantiate"),
    "is a builtin_function_or_method; expected a subclass": (
        "model=module", "model.module=os.system"),
    "model.dtype means nothing": (*PERCEPTRON, "+model.arguments.width=3", "+model.dtype=bfloat16"),
    r"module=configured_module.Perceptron: the network ends in \[batch, 10\]; the data has 7": (
        *PERCEPTRON, "+model.arguments.width=3"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_modules_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        model.build(configured(*REFUSED[text]).model,
                    Description((28, 28, 1), numbered(7 if "7" in text else 10)))
