"""Collections: named lists of variables and of whatever else a program puts there."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp
from jax import Array

from pipeline.scopes.namespace import namespace_of
from pipeline.scopes.spec import GraphKeys
from pipeline.scopes.store import current_store


def add_to_collection(name: str, value: Any) -> None:
    """Appends to a collection of the default store; values may repeat."""
    namespace_of(current_store()).collections.setdefault(name, []).append(value)


def get_collection(name: str, scope: str | None = None) -> list[Any]:
    """The members of a collection, in the order they came.

    Args:
        name: of the collection; an unknown one is empty.
        scope: a regular expression that a member's name must begin with, so that "a" finds `ab/v`
            too (B23); members without a name are left out.
    """
    members = namespace_of(current_store()).collections.get(name, [])
    if scope is None:
        return list(members)
    begins = re.compile(scope)
    return [m for m in members if hasattr(m, "name") and begins.match(m.name)]


def global_variables(scope: str | None = None) -> list[Any]:
    """The variables that are saved."""
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables that optimizers change."""
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Any]:
    """The variables of `get_local_variable`."""
    return get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    """The variables that an `ExponentialMovingAverage` follows."""
    return get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The penalties on variables: `.name` is `scope/weights/Regularizer`, `.value()` a scalar."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None) -> Array:
    """The sum of the penalties: a scalar, 0 where there are none."""
    penalties = [loss.value() for loss in get_regularization_losses(scope)]
    return sum((p for p in penalties if p is not None), jnp.zeros((), jnp.float32))
