"""From `conf/model` to a network: scopes of layers, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from pipeline import scopes
from pipeline.config import ConfigError
from pipeline.config.model import Defaults, ModelConfig, Nested, ScopeConfig
from pipeline.data import MNIST_SHAPED, Description
from pipeline.model.fitting import Standardized, fitted
from pipeline.model.layers import LAYERS
from pipeline.model.module import module_model
from pipeline.model.network import Network, example
from pipeline.model.parts import initializer, regularizer
from pipeline.scopes import ScopeError, VariableScope, variable_scope


def build(config: ModelConfig, description: Description = MNIST_SHAPED) -> Network:
    """The network that a configuration describes, for data of that description.

    Raises:
        ConfigError: it describes none: no scopes, a layer that does not fit its input, a `reuse`
            that names no earlier scope, a last layer that is not as wide as there are classes.
    """
    config, num_classes = fitted(config, description), description.num_classes
    function, input_shape = _function(config, num_classes)
    if description.statistics is not None:
        function = Standardized(function, description.statistics)
    scoped = scopes.transform(function)
    try:
        specs, logits = scoped.describe(example(input_shape), training=False)
    except ScopeError as error:
        raise ConfigError(f"model {config.name}: {error}") from error
    if logits.shape != (1, num_classes):
        outside = f"model.module={config.module}" if config.module else f"model.path={config.path}"
        last = _last_key(config.scopes) if config.scopes else outside
        raise ConfigError(f"{last}: the network ends in [batch, "
                          f"{', '.join(map(str, logits.shape[1:]))}]; the data has {num_classes} "
                          f"classes, so it must end in [batch, {num_classes}]")
    return Network(config.name, input_shape, num_classes, specs, scoped)


def _function(
    config: ModelConfig, num_classes: int
) -> tuple[Callable[[Array, bool], Array], tuple[int, ...]]:
    """What the configuration describes as a function, and the shape of one example."""
    if config.path is not None:
        from pipeline.model.imported import imported_model  # late: most runs import no graph

        return imported_model(config, num_classes)
    assert not isinstance(config.input_shape, str)
    shape = tuple(config.input_shape)
    if config.module is not None:
        return module_model(config), shape
    if not config.scopes:
        raise ConfigError("model.scopes is empty, model.module and model.path are null: nothing "
                          "to build; give one of the three")
    return ScopeModel(config), shape


@dataclass(frozen=True)
class ScopeModel:
    """The scopes of a configuration as a function of images."""

    config: ModelConfig

    def __call__(self, images: Array, training: bool) -> Array:
        """Float images [batch, *input_shape] → logits [batch, num_classes], single or double."""
        with _located("model"), variable_scope("", **_handed_down(self.config)):
            logits = _run(self.config.scopes, images, training, {}, "model")
        return logits.astype(jnp.promote_types(logits.dtype, jnp.float32))


def _run(layers: Mapping[str, ScopeConfig], inputs: Array, training: bool,
         opened: dict[str, VariableScope], parent: str) -> Array:
    for name, layer in layers.items():
        path = f"{parent}.scopes.{name}"
        with _located(path), variable_scope(name, **_handed_down(layer)) as scope:
            opened.setdefault(scope.name, scope)
            with _shared(layer, opened):
                inputs = _run_one(layer, inputs, training, opened, path)
    return inputs


def _run_one(layer: ScopeConfig, inputs: Array, training: bool,
             opened: dict[str, VariableScope], path: str) -> Array:
    if not isinstance(layer, Nested):
        return LAYERS[type(layer)](layer, inputs, training)
    if not layer.scopes:
        raise ConfigError("a scope of scopes needs at least one; found none")
    result = _run(layer.scopes, inputs, training, opened, path)
    if not layer.residual:
        return result
    if result.shape != inputs.shape:
        raise ConfigError(f"residual=true adds input and output, but they are {inputs.shape[1:]} "
                          f"and {result.shape[1:]} per example")
    return inputs + result


@contextmanager
def _shared(layer: ScopeConfig, opened: Mapping[str, VariableScope]) -> Iterator[None]:
    """Inside another scope's variables, where the layer says `reuse`."""
    reuse: str | None = getattr(layer, "reuse", None)
    if reuse is None:
        yield
        return
    if reuse not in opened:
        raise ConfigError(f"reuse={reuse} names no scope above this one; those are "
                          f"{', '.join(opened)}")
    with variable_scope(opened[reuse], reuse=True):
        yield


@contextmanager
def _located(path: str) -> Iterator[None]:
    """Puts the key of the innermost scope before an error's text."""
    try:
        yield
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith("model") else f"{path}: {text}") from None


def _handed_down(config: object) -> dict[str, Any]:
    if not isinstance(config, Defaults):
        return {}
    return {
        "initializer": initializer(config.initializer),
        "regularizer": regularizer(config.regularizer),
        "dtype": config.dtype,
    }


def _last_key(layers: Mapping[str, ScopeConfig], parent: str = "model") -> str:
    name, layer = list(layers.items())[-1]
    path = f"{parent}.scopes.{name}"
    return _last_key(layer.scopes, path) if isinstance(layer, Nested) and layer.scopes else path
