"""What is known about a variable without its value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax import Array


class GraphKeys:
    """The names of the standard collections, as TensorFlow writes them into a MetaGraph."""

    GLOBAL_VARIABLES = "variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    LOCAL_VARIABLES = "local_variables"
    MODEL_VARIABLES = "model_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"


@dataclass(frozen=True)
class ValueOf:
    """The initializer of a variable that begins as another one: a moving average's shadow."""

    name: str


@dataclass(frozen=True, eq=False)
class Whole:
    """What makes the initial values of several variables at once: a module.

    Attributes:
        name: the scope it stands in; its key depends on it.
        draw: key → initial values by path.
    """

    name: str
    draw: Callable[[Array], dict[str, Array]]


@dataclass(frozen=True)
class Part:
    """The initializer of one variable of a whole."""

    whole: Whole
    path: str

    def __call__(self, key: Array, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
        """That one alone; a store draws all parts of a whole together."""
        return self.whole.draw(key)[self.path]


@dataclass(frozen=True)
class VariableSpec:
    """A variable as it is declared.

    Attributes:
        name: of the operation, without `:0`; the key in checkpoints and graphs.
        key: what `get_variable` finds it by; None if only `Variable` made it. It differs from
            `name` when another operation had taken the name first.
        collections: in TensorFlow's order, `trainable_variables` among them if it is trainable.
        initializer: called as `initializer(key, shape, dtype)`.
        regularizer: called with the value; None for no penalty.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    trainable: bool = True
    collections: tuple[str, ...] = (GraphKeys.GLOBAL_VARIABLES, GraphKeys.TRAINABLE_VARIABLES)
    initializer: Callable[..., Any] | ValueOf | None = field(
        default=None, compare=False, repr=False
    )
    regularizer: Callable[..., Any] | None = field(default=None, compare=False, repr=False)
    key: str | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)
