"""Penalties on variables, with tf.contrib.layers' names and arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax.numpy as jnp
from jax import Array

from pipeline.scopes.errors import ScopeError

Regularizer: TypeAlias = Callable[[Array], Array | None]


@dataclass(frozen=True)
class L1:
    """`scale · Σ|w|`."""

    scale: float

    def __post_init__(self) -> None:
        _check(self.scale)

    def __call__(self, weights: Array) -> Array:
        """The penalty, a scalar."""
        return self.scale * jnp.sum(jnp.abs(weights))


@dataclass(frozen=True)
class L2:
    """`scale · Σw² / 2`."""

    scale: float

    def __post_init__(self) -> None:
        _check(self.scale)

    def __call__(self, weights: Array) -> Array:
        """The penalty, a scalar."""
        return self.scale * (jnp.sum(jnp.square(weights)) / 2)


@dataclass(frozen=True)
class L1L2:
    """The sum of both penalties."""

    scale_l1: float = 1.0
    scale_l2: float = 1.0

    def __call__(self, weights: Array) -> Array:
        """The penalty, a scalar."""
        return L1(self.scale_l1)(weights) + L2(self.scale_l2)(weights)


def no_regularizer(weights: Array) -> None:
    """No penalty, whatever the scope would have handed down."""


# The names that tf.contrib.layers gave them.
l1_regularizer = L1
l2_regularizer = L2
l1_l2_regularizer = L1L2


def _check(scale: float) -> None:
    if not scale >= 0.0:
        raise ScopeError(f"a regularizer's scale must be 0 or more; found {scale}")
