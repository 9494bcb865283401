"""What a model takes from the data it is made for: its input, its last width, standardization."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jax import Array

from pipeline import scopes
from pipeline.config import ConfigError
from pipeline.config.model import Dense, ModelConfig, Nested, ScopeConfig
from pipeline.data import Description, Statistics
from pipeline.scopes import get_variable, variable_scope
from pipeline.scopes.initializers import Constant


def fitted(config: ModelConfig, description: Description) -> ModelConfig:
    """The configuration with every size that follows from the data written out.

    Raises:
        ConfigError: `input_shape=image`, and the data are no images.
    """
    shape = config.input_shape
    if shape == "image" and len(description.shape) != 3:
        raise ConfigError(f"model.input_shape=image: the data have {description.shape[0]} features "
                          "an example and are no images; use model=mlp, or another without "
                          "convolutions")
    sizes = {"flat": [math.prod(description.shape)], "image": list(description.shape)}
    return replace(config, input_shape=sizes[shape] if isinstance(shape, str) else shape,
                   scopes=_with_classes(config.scopes, description.num_classes))


def _with_classes(layers: Mapping[str, ScopeConfig], classes: int) -> dict[str, ScopeConfig]:
    made = dict(layers)
    if made:
        name, last = list(made.items())[-1]
        if isinstance(last, Dense) and last.units is None:
            made[name] = replace(last, units=classes)
        elif isinstance(last, Nested):
            made[name] = replace(last, scopes=_with_classes(last.scopes, classes))
    return made


@dataclass(frozen=True)
class Standardized:
    """A model after `(images - mean) / deviation`, both variables that are not trained.

    As variables they are in every checkpoint and, as constants, in every frozen graph.
    """

    function: Callable[[Array, bool], Array]
    statistics: Statistics

    def __call__(self, images: Array, training: bool) -> Array:
        """Float images [batch, *input_shape] → logits, as `function` makes them."""
        with variable_scope("standardization"):
            mean = self._variable("mean", self.statistics.mean, images)
            deviation = self._variable("deviation", self.statistics.deviation, images)
        return self.function((images - mean) / deviation, training)

    def _variable(self, name: str, values: np.ndarray, images: Array) -> Array:
        """For the last axis, which holds the channels of all pixels where an image is flat."""
        whole = np.tile(values, images.shape[-1] // len(values))
        variable = get_variable(name, whole.shape, initializer=Constant(whole), trainable=False,
                                regularizer=scopes.no_regularizer, dtype=jnp.float32)
        taken: Array = variable[...]
        return taken
