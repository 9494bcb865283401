"""Anybody's models: plain JAX, flax nnx, Linen, Haiku and Equinox, with TensorFlow as the judge."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx
from judge import relative_error, run_all

from pipeline.lowering import LoweringError, freeze

VECTORS = {"input": jax.ShapeDtypeStruct((None, 6), jnp.float32)}
IMAGES = {"input": jax.ShapeDtypeStruct((None, 8, 8, 2), jnp.float32)}
CHANNELS_FIRST = {"input": jax.ShapeDtypeStruct((None, 2, 8, 8), jnp.float32)}
KEY = jax.random.key(0)


def judged(tf: ModuleType, graph: Any, inputs: Any, native: Any) -> dict[str, str]:
    """Asserts that TensorFlow agrees at several batch sizes; gives the nodes' names and ops."""
    random = np.random.default_rng(0)
    (name, spec), = inputs.items()
    feeds = [{name: random.normal(size=(n, *spec.shape[1:])).astype(np.float32)} for n in (4, 1, 0)]
    for feed, (found,) in zip(feeds, run_all(tf, graph, ["output"], feeds), strict=True):
        assert relative_error(found, native(feed[name])) <= 1e-5
    return {node.name: node.op for node in graph.node}


def drawn(tree: Any) -> Any:
    """No bias stays zero, no variance one."""
    random = np.random.default_rng(1)
    return jax.tree.map(lambda x: jnp.asarray(random.uniform(0.2, 0.9, x.shape), x.dtype)
                        if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def test_plain_function(tf: ModuleType) -> None:
    weights = drawn(jnp.ones((6, 3)))

    def function(x: Any) -> Any:
        with jax.named_scope("layer1"):
            return jnp.tanh(x @ weights)

    graph = freeze(function, inputs=VECTORS, outputs=["output"])
    assert judged(tf, graph, VECTORS, function)["layer1/MatMul"] == "MatMul"


class Nnx(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(2, 3, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.head = nnx.List([nnx.Linear(48, 5, rngs=rngs), nnx.Linear(5, 4, rngs=rngs)])

    def __call__(self, x: Any) -> Any:
        x = nnx.max_pool(nnx.relu(self.norm(self.conv(x))), (2, 2), (2, 2))
        x = x.reshape(-1, 48)
        for layer in self.head:
            x = layer(x)
        return x


def test_nnx_module(tf: ModuleType) -> None:
    module = Nnx(nnx.Rngs(0))
    nnx.update(module, drawn(nnx.state(module, nnx.Not(nnx.RngState))))
    module.eval()
    nodes = judged(tf, freeze(module, inputs=IMAGES, outputs=["output"]), IMAGES, module)
    assert nodes["conv/Conv2D"] == "Conv2D"
    assert nodes["norm/FusedBatchNorm"] == "FusedBatchNorm"
    assert nodes["head/0/BiasAdd"] == "BiasAdd"
    assert {"conv/kernel", "norm/mean", "head/1/bias"} <= set(nodes)


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        x = linen.Conv(3, (3, 3), name="conv")(x)
        x = linen.relu(linen.BatchNorm(use_running_average=True, name="norm")(x))
        x = linen.avg_pool(x, (2, 2), (2, 2)).reshape(-1, 48)
        return linen.Dense(4)(x)


def test_linen_module(tf: ModuleType) -> None:
    module = Linen()
    variables = drawn(module.init(KEY, jnp.zeros((1, 8, 8, 2))))
    graph = freeze(module, variables, IMAGES, outputs=["output"])
    nodes = judged(tf, graph, IMAGES, lambda x: module.apply(variables, x))
    assert {"params/conv/kernel", "batch_stats/norm/mean", "params/norm/scale",
            "params/Dense_0/bias"} <= set(nodes)
    assert nodes["conv/Conv2D"] == "Conv2D"
    assert nodes["norm/FusedBatchNorm"] == "FusedBatchNorm"


def test_haiku_transform(tf: ModuleType) -> None:
    def function(x: Any) -> Any:
        x = jax.nn.relu(hk.Conv2D(3, 3, name="conv")(x))
        x = hk.MaxPool((2, 2, 1), (2, 2, 1), "VALID")(x)
        return hk.nets.MLP([5, 4], name="head")(hk.Flatten()(x))

    model = hk.without_apply_rng(hk.transform(function))
    params = drawn(model.init(KEY, jnp.zeros((1, 8, 8, 2))))
    graph = freeze(model.apply, params, IMAGES, outputs=["output"])
    nodes = judged(tf, graph, IMAGES, lambda x: model.apply(params, x))
    assert {"conv/w", "conv/b", "head/linear_0/w"} <= set(nodes)
    assert nodes["conv/BiasAdd"] == nodes["head/linear_0/BiasAdd"] == "BiasAdd"
    assert nodes["head/linear_0/MatMul"] == "MatMul"


def test_haiku_transform_with_state(tf: ModuleType) -> None:
    def function(x: Any, is_training: bool) -> Any:
        x = hk.BatchNorm(True, True, 0.9, name="norm")(hk.Linear(5, name="dense")(x), is_training)
        return hk.Linear(3, name="head")(jax.nn.relu(x))

    model = hk.without_apply_rng(hk.transform_with_state(function))
    variables = drawn(model.init(KEY, jnp.zeros((2, 6)), True))

    def infer(variables: Any, x: Any) -> Any:
        params, state = variables
        return model.apply(params, state, x, False)[0]

    graph = freeze(infer, variables, VECTORS, outputs=["output"])
    nodes = judged(tf, graph, VECTORS, lambda x: infer(variables, x))
    assert nodes["dense/MatMul"] == "MatMul"


class Equinox(eqx.Module):
    conv: eqx.nn.Conv2d
    blocks: list[eqx.nn.Linear]
    activation: Any

    def __init__(self, key: Any) -> None:
        self.conv = eqx.nn.Conv2d(2, 3, 3, key=key)
        self.blocks = [eqx.nn.Linear(108, 5, key=key), eqx.nn.Linear(5, 4, key=key)]
        self.activation = jax.nn.relu

    def __call__(self, x: Any) -> Any:
        x = self.activation(self.conv(x)).ravel()
        for block in self.blocks:
            x = block(x)
        return x


def test_equinox_module(tf: ModuleType) -> None:
    model = Equinox(KEY)
    nodes = judged(tf, freeze(model, inputs=CHANNELS_FIRST, outputs=["output"]), CHANNELS_FIRST,
                   jax.vmap(model))
    assert nodes["conv/Conv2D"] == "Conv2D"
    assert nodes["blocks/0/MatMul"] == "MatMul"
    assert nodes["blocks/0/BiasAdd"] == "BiasAdd"
    assert nodes["blocks/0/weight/transpose"] == "Const"
    assert {"conv/weight/transpose", "blocks/1/bias"} <= set(nodes)
    assert not any("eqx" in name for name in nodes)


def test_equinox_layers_of_their_own(tf: ModuleType) -> None:
    """Attention, normalisation, dropout switched off, a sequence; a function of the module."""
    class Block(eqx.Module):
        norm: eqx.nn.LayerNorm
        attention: eqx.nn.MultiheadAttention
        head: eqx.nn.MLP
        dropout: eqx.nn.Dropout

        def __call__(self, x: Any) -> Any:
            x = jax.vmap(self.norm)(x)
            return jax.vmap(self.head)(self.dropout(self.attention(x, x, x)))

    model = eqx.nn.inference_mode(Block(
        eqx.nn.LayerNorm(6), eqx.nn.MultiheadAttention(2, 6, key=KEY),
        eqx.nn.MLP(6, 4, 8, 1, key=KEY), eqx.nn.Dropout(0.5)))
    inputs = {"input": jax.ShapeDtypeStruct((None, 5, 6), jnp.float32)}
    graph = freeze(lambda model, x: jax.vmap(model)(x), model, inputs, outputs=["output"])
    nodes = judged(tf, graph, inputs, jax.vmap(model))
    assert any(name.startswith("attention/query_proj/") for name in nodes)
    assert "head/layers/0/bias" in nodes


def test_shared_and_transposed_weights_are_written_once(tf: ModuleType) -> None:
    table = drawn(jnp.ones((7, 6)))

    def function(v: Any, x: Any) -> Any:
        return (x @ v["table"].T) @ v["table"] @ v["table"].T

    graph = freeze(function, {"table": table}, VECTORS, outputs=["output"])
    nodes = judged(tf, graph, VECTORS, lambda x: function({"table": table}, x))
    assert [name for name, op in nodes.items() if op == "Const"] == ["table/transpose", "table"]


@pytest.mark.parametrize(("model", "variables", "message"), [
    (Linen(), None, "Linen keeps no variables itself; give those that its `init` makes"),
    (Nnx(nnx.Rngs(0)), {"w": 1}, "Nnx brings its own variables"),
    (Equinox(KEY), {"w": 1}, "Equinox brings its own variables"),
])
def test_modules_with_the_wrong_variables(model: Any, variables: Any, message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        freeze(model, variables, IMAGES, outputs=["output"])
