"""The models of `conf/model` as graphs, with random weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import numpy as np
from configured import configured

from pipeline import model
from pipeline.config.persistence import GraphNames
from pipeline.persistence.graphs import build_frozen_graph, build_meta_graph

MODELS = ("softmax", "mlp", "lenet", "cnn", "deep_cnn")



@cache
def network(name: str) -> tuple[model.Network, dict[str, Any]]:
    """A network and its variables; moving variances are positive and not all 1."""
    built = model.build(configured(f"model={name}").model, num_classes=10)
    random = np.random.default_rng(0)
    variables = {
        key: random.uniform(0.5, 2, value.shape).astype(np.float32)
        if key.endswith("moving_variance") else np.asarray(value)
        + random.normal(size=value.shape).astype(np.float32) / 50
        for key, value in built.init(0).items()}
    return built, variables


@cache
def frozen(name: str, opset: Any = "tf1") -> Any:
    """Its frozen graph."""
    return build_frozen_graph(GraphNames(opset=opset), *network(name))


@cache
def meta_graph(name: str, *, resource: bool = False) -> Any:
    """Its MetaGraph."""
    return build_meta_graph(GraphNames(), network(name)[0], resource=resource)


def images(name: str, count: int) -> Any:
    """Inputs as the network takes them."""
    shape = (count, *network(name)[0].input_shape)
    return np.random.default_rng(1).uniform(size=shape).astype(np.float32)


def expected(name: str, inputs: Any) -> tuple[Any, Any]:
    """Logits and probabilities as JAX computes them."""
    built, variables = network(name)
    logits, _ = built.apply(variables, inputs)
    return np.asarray(logits), np.asarray(jax.nn.softmax(logits))
