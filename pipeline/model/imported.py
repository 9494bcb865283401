"""A TensorFlow graph as a network: fine-tuned, evaluated and persisted under its own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from pipeline import execution, graph
from pipeline.config import ConfigError
from pipeline.config.model import ModelConfig
from pipeline.model.imported_ends import Ends, find_ends
from pipeline.model.parts import regularizer
from pipeline.scopes import get_variable, no_regularizer, variable_scope


@dataclass(frozen=True, eq=False)
class ImportedModel:
    """Part of a graph as a function of images; its large constants and variables are variables."""

    function: execution.GraphFunction
    ends: Ends
    pixel_range: tuple[float, float]
    values: Mapping[str, Any]
    trainable: frozenset[str]
    regularizer: Callable[[Array], Any] | None

    def __call__(self, images: Array, training: bool) -> Array:
        """Float images [batch, *input_shape] → logits [batch, num_classes], single or double."""
        with variable_scope("", regularizer=self.regularizer):
            variables = {name: self._variable(name)[...] for name in self.values}
        logits = self._batched(variables, self._pixels(images))
        logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        if self.ends.probabilities:
            logits = jnp.log(jnp.maximum(logits, jnp.finfo(logits.dtype).tiny))
        return logits

    def _pixels(self, images: Array) -> Array:
        """Grey levels 0..1 as the graph takes them."""
        if self.ends.dtype.kind in "ui":
            return jnp.round(images * 255).astype(self.ends.dtype)
        low, high = self.pixel_range
        scaled = images if (low, high) == (0, 1) else images * (high - low) + low
        return scaled.astype(self.ends.dtype)

    def _batched(self, variables: Mapping[str, Any], images: Array) -> Array:
        """The graph's result; as many times as it takes where the graph fixes its batch."""
        size, count = self.ends.batch, images.shape[0]
        if size is None or size == count:
            return jnp.asarray(self.function(variables, images)[0])
        groups = -(-count // size)
        padded = jnp.pad(images, [(0, groups * size - count), *[(0, 0)] * (images.ndim - 1)])
        found: Array = jax.lax.map(lambda group: self.function(variables, group)[0],
                            padded.reshape(groups, size, *images.shape[1:]))
        return found.reshape(groups * size, -1)[:count]

    def _variable(self, name: str) -> Any:
        chosen = name in self.trainable
        penalty = None if chosen else no_regularizer
        return get_variable(
            name, initializer=self.values[name], trainable=chosen, regularizer=penalty
        )


def imported_model(
    config: ModelConfig, num_classes: int
) -> tuple[ImportedModel, tuple[int, ...]]:
    """The graph at `model.path` from its input to its logits, and the shape of one example.

    Raises:
        ConfigError: there is no such file; keys that mean nothing for a graph; no such input or
            logits, or none that fit the data; nothing is named as `model.trainable` says.
        GraphError, ExecutionError: what is there is no graph, or none that runs here.
        CheckpointError: a MetaGraph's variables can't be read from beside it.
    """
    assert config.path is not None
    for key in ("scopes", "initializer", "dtype", "module"):
        if getattr(config, key):
            raise ConfigError(f"model.{key} means nothing for model.path={config.path}; "
                              "the graph says what the model is")
    if not Path(config.path).exists():
        raise ConfigError(f"model.path={config.path}: there is no such file; give a frozen graph "
                          ".pb, a SavedModel, or a .meta with its checkpoint beside it")
    imported = load_graph(Path(config.path))
    patterns = [config.trainable] if isinstance(config.trainable, str) else config.trainable
    ends = find_ends(imported, config, num_classes)
    try:
        chosen = imported.trainable(*patterns)
    except execution.ExecutionError as error:
        raise ConfigError(f"model.trainable={config.trainable}: {error}") from None
    function = imported.function([ends.input], [ends.logits], trainable=chosen, given=config.given)
    values = {name: imported.values[name] for name in function.variables}
    if not chosen.keys() & (values.keys() | function.constants.keys()):
        raise ConfigError(f"model.trainable={config.trainable}: {', '.join(list(chosen)[:5])}, "
                          f"which {ends.logits} does not depend on")
    low, high = config.pixel_range
    model = ImportedModel(function, ends, (low, high), {**function.constants, **values},
                          frozenset(chosen), regularizer(config.regularizer))
    return model, ends.shape


def load_graph(path: Path) -> execution.Graph:
    """A frozen graph, a SavedModel, or a `.meta` with the checkpoint of its name beside it."""
    if path.is_dir():
        return execution.import_saved_model(path)
    if path.suffix != ".meta":
        frozen: execution.Graph = execution.import_graph_def(graph.load_graph(path), name="")
        return frozen
    imported = execution.import_meta_graph(path)
    if imported.saver is not None:
        imported.saver.restore(path.with_suffix(""))
    return imported
