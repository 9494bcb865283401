"""A TensorFlow graph as a network: fine-tuned, evaluated and persisted under its own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from jax import Array

from pipeline import execution, graph
from pipeline.config import ConfigError
from pipeline.config.model import ModelConfig
from pipeline.model.parts import regularizer
from pipeline.scopes import get_variable, no_regularizer, variable_scope


@dataclass(frozen=True, eq=False)
class ImportedModel:
    """Part of a graph as a function of images; its large constants and variables are variables."""

    function: execution.GraphFunction
    values: Mapping[str, Any]
    trainable: frozenset[str]
    regularizer: Callable[[Array], Any] | None

    def __call__(self, images: Array, training: bool) -> Array:
        """Float images [batch, *input_shape] → logits [batch, num_classes], single or double."""
        with variable_scope("", regularizer=self.regularizer):
            variables = {name: self._variable(name)[...] for name in self.values}
        (logits,) = self.function(variables, images)
        return jnp.asarray(logits).astype(jnp.promote_types(logits.dtype, jnp.float32))

    def _variable(self, name: str) -> Any:
        chosen = name in self.trainable
        penalty = None if chosen else no_regularizer
        return get_variable(
            name, initializer=self.values[name], trainable=chosen, regularizer=penalty
        )


def imported_model(config: ModelConfig) -> tuple[ImportedModel, tuple[int, ...]]:
    """The graph at `model.path` from its input to its logits, and the shape of one example.

    Raises:
        ConfigError: keys that mean nothing for a graph.
        GraphError, ExecutionError: no graph is there, it lacks those nodes, or nothing in it is
            named as `model.trainable` says.
        CheckpointError: a MetaGraph's variables can't be read from beside it.
    """
    assert config.path is not None
    for key in ("scopes", "initializer", "dtype", "module"):
        if getattr(config, key):
            raise ConfigError(f"model.{key} means nothing for model.path={config.path}; "
                              "the graph says what the model is")
    imported = _load(Path(config.path))
    patterns = [config.trainable] if isinstance(config.trainable, str) else config.trainable
    chosen = imported.trainable(*patterns)
    function = imported.function([config.input], [config.logits], trainable=chosen)
    values = {name: imported.values[name] for name in function.variables}
    penalty = regularizer(config.regularizer)
    model = ImportedModel(function, {**function.constants, **values}, frozenset(chosen), penalty)
    return model, _input_shape(imported, config)


def _input_shape(imported: execution.Graph, config: ModelConfig) -> tuple[int, ...]:
    """Of one example: the graph's own where it says it, else the configuration's."""
    stated = imported.get_tensor_by_name(f"{config.input}:0").shape or ()
    known = [size for size in stated[1:] if size is not None]
    return tuple(known if stated and len(known) == len(stated) - 1 else config.input_shape)


def _load(path: Path) -> execution.Graph:
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
