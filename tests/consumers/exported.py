"""Every model of `conf/model` with random weights, as graphs and as files for other programs."""

from __future__ import annotations

import math
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from configured import configured

from pipeline import model, persistence
from pipeline.config.persistence import (
    FrozenGraphTarget,
    GraphNames,
    SavedModelTarget,
    TfCheckpointTarget,
)
from pipeline.graph import save_graph
from pipeline.persistence.graphs import build_frozen_graph, build_meta_graph
from pipeline.scopes import VariableSpec

# the command line of each; `imported` is the frozen graph of `mlp`
COMMANDS = {
    "softmax": ["model=softmax"],
    "mlp": ["model=mlp"],
    "lenet": ["model=lenet"],
    "cnn": ["model=cnn"],
    "deep_cnn": ["model=deep_cnn"],
    "module": ["model=module", "model.module=configured_module.Perceptron",
               "+model.arguments.width=12"],
    "imported": ["model=imported"],
}
MODELS = tuple(COMMANDS)
# what other programs are given of each
FORMS = {
    "frozen_graph": "frozen_graph.pb",
    "modern": "modern.pb",
    "checkpoint": "model.ckpt-5.meta",
    "resource": "resource.ckpt-5.meta",
    "saved_model": "saved_model",
}
BATCHES = (1, 5)


class Examples(NamedTuple):
    """Inputs [5, *input_shape], and what JAX makes of them [5, 10]."""

    images: Any
    logits: Any
    probabilities: Any


@cache
def network(name: str) -> tuple[model.Network, dict[str, Any]]:
    """A network and values for its variables."""
    with tempfile.TemporaryDirectory() as directory:
        command = list(COMMANDS[name])
        if name == "imported":
            path = Path(directory) / "frozen_graph.pb"
            save_graph(frozen("mlp"), path)
            command.append(f"model.path={path}")
        built = model.build(configured(*command).model)
    random = np.random.default_rng(0)
    return built, {key: _value(random, spec) for key, spec in built.specs.items()}


def _value(random: np.random.Generator, spec: VariableSpec) -> Any:
    """About as large as training leaves it; nothing is all 0 or all 1."""
    if spec.name.endswith(("gamma", "moving_variance")):
        return random.uniform(0.5, 1.5, spec.shape).astype(spec.dtype)
    scale = math.sqrt(1 / math.prod(spec.shape[:-1])) if len(spec.shape) > 1 else 0.1
    return random.normal(0, scale, spec.shape).astype(spec.dtype)


@cache
def examples(name: str) -> Examples:
    """The largest batch; its first examples are the smaller ones."""
    built, variables = network(name)
    shape = (max(BATCHES), *built.input_shape)
    images = np.random.default_rng(1).uniform(size=shape).astype(np.float32)
    return computed(built, variables, images)


def computed(built: model.Network, variables: dict[str, Any], images: Any) -> Examples:
    """What JAX makes of the images."""
    logits = jax.jit(lambda values, x: built.apply(values, x)[0])(variables, images)
    return Examples(images, np.asarray(logits), np.asarray(jax.nn.softmax(logits)))


@cache
def frozen(name: str, opset: Any = "tf1") -> Any:
    """The frozen graph of a model."""
    return build_frozen_graph(GraphNames(opset=opset), *network(name))


@cache
def meta_graph(name: str, *, resource: bool = False, opset: Any = "tf1") -> Any:
    """The MetaGraph of a model."""
    return build_meta_graph(GraphNames(opset=opset), network(name)[0], resource=resource)


def write(name: str, directory: Path) -> None:
    """All forms, by the writers of a run."""
    directory.mkdir()
    targets = {
        "frozen_graph": FrozenGraphTarget(kind="frozen_graph"),
        "modern": FrozenGraphTarget(kind="frozen_graph", file=FORMS["modern"], opset="modern"),
        "checkpoint": TfCheckpointTarget(kind="tf_checkpoint"),
        "resource": TfCheckpointTarget(kind="tf_checkpoint", prefix="resource.ckpt",
                                       resource_variables=True, write_state=False),
        "saved_model": SavedModelTarget(kind="saved_model"),
    }
    built, variables = network(name)
    persistence.persist(targets, persistence.Trained(built, variables, step=5), directory)
