"""A flax nnx module of the user's as a network: named in configuration, used like ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from pipeline import scopes
from pipeline.config import ConfigError
from pipeline.config.consent import load_named
from pipeline.config.model import ModelConfig
from pipeline.model.parts import regularizer
from pipeline.scopes import variable_scope


@dataclass(frozen=True, eq=False)
class ModuleModel:
    """The module of a configuration as a function of images."""

    build: Callable[[nnx.Rngs], nnx.Module]
    regularizer: Callable[[Array], Any] | None

    def __call__(self, images: Array, training: bool) -> Array:
        """Float images [batch, *input_shape] → logits [batch, num_classes], single or double."""
        with variable_scope("", regularizer=self.regularizer):
            logits = scopes.get_module(self.build, training)(images)
        return jnp.asarray(logits).astype(jnp.promote_types(logits.dtype, jnp.float32))


def module_model(config: ModelConfig) -> ModuleModel:
    """The module that `model.module` and `model.arguments` describe.

    Raises:
        ConfigError: the class cannot be imported, is no nnx module, lies in a run's directory, or
            does not take the arguments; keys that mean nothing for a module.
    """
    assert config.module is not None
    for key in ("scopes", "initializer", "dtype"):
        if getattr(config, key):
            raise ConfigError(f"model.{key} means nothing for model.module={config.module}; "
                              "what the module makes is told to it in model.arguments")
    make = load_named(config.module, "model.module", [nnx.Module])

    def build(rngs: nnx.Rngs) -> Any:
        return make(**config.arguments, rngs=rngs)

    try:
        nnx.eval_shape(lambda: build(nnx.Rngs(0)))
    except TypeError as error:
        raise ConfigError(f"model.module={config.module} cannot be called with model.arguments="
                          f"{config.arguments}: {error}") from error
    return ModuleModel(build, regularizer(config.regularizer))
