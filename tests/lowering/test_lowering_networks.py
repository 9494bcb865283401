"""Whole networks: exported, run in TensorFlow, equal to JAX."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from flax import nnx
from judge import relative_error, run_all
from networks import NETWORKS

from pipeline.lowering import freeze, from_nnx

QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@cache
def drawn(name: str) -> tuple[Any, dict[str, Any], dict[str, jax.ShapeDtypeStruct]]:
    """A network as a function, moments of its norms not trivial, and its input."""
    build, (shape, dtype) = NETWORKS[name]
    # eval_shape compiles no initializer; but an RNN asks its random state for each first carry
    module = build(nnx.Rngs(0)) if name == "lstm" else nnx.eval_shape(lambda: build(nnx.Rngs(0)))
    module.eval()
    function, shapes = from_nnx(module)
    random = np.random.default_rng(0)
    variables = {key: draw(random, key, spec.shape) for key, spec in shapes.items()}
    return function, variables, {"input": jax.ShapeDtypeStruct(shape, dtype)}


def draw(random: np.random.Generator, key: str, shape: tuple[int, ...]) -> Any:
    """Weights that keep magnitudes, scales near 1, small offsets, positive variances."""
    if key.endswith(("/var", "/scale")):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    fan_in = np.prod(shape[:-1]) if key.endswith("/kernel") else 100
    return (random.normal(size=shape) / np.sqrt(fan_in)).astype(np.float32)


@cache
def expected(name: str) -> tuple[Any, Any]:
    """Two examples and what JAX makes of them."""
    function, variables, inputs = drawn(name)
    spec, random = inputs["input"], np.random.default_rng(1)
    shape = (2, *spec.shape[1:])
    examples = random.uniform(size=shape).astype(np.float32) \
        if spec.dtype == np.float32 else random.integers(0, 20, shape, np.int32)
    compiled = jax.jit(function).lower(variables, examples).compile(QUICK)
    return examples, np.asarray(compiled(variables, examples))


@pytest.mark.parametrize("opset", ["tf1", "modern"])
@pytest.mark.parametrize("name", NETWORKS)
def test_network_agrees(tf: ModuleType, name: str, opset: Any) -> None:
    function, variables, inputs = drawn(name)
    graph = freeze(function, variables, inputs, outputs=["output"], opset=opset)
    examples, wanted = expected(name)
    feeds = [{"input": examples}, {"input": examples[:1]}]
    both, first = run_all(tf, graph, ["output"], feeds)
    assert relative_error(both[0], wanted) < 1e-5
    assert relative_error(first[0], wanted[:1]) < 1e-5


def test_nodes_are_named_by_the_modules_attributes() -> None:
    function, variables, inputs = drawn("mobilenet_v2")
    names = {node.name: node.op for node in
             freeze(function, variables, inputs, outputs=["output"]).node}
    assert names["blocks/3/depth/DepthwiseConv2dNative"] == "DepthwiseConv2dNative"
    assert names["stem/kernel"] == "Const"
    assert names["norm/FusedBatchNorm"] == "FusedBatchNorm"
    assert names["stem/Conv2D"] == "Conv2D"
