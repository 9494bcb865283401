"""Exponential moving averages: TensorFlow's arithmetic, and its API over the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pipeline.scopes.collections import (
    add_to_collection,
    global_variables,
    moving_average_variables,
    trainable_variables,
)
from pipeline.scopes.errors import ScopeTypeError
from pipeline.scopes.names import join
from pipeline.scopes.namespace import add_variable, namespace_of
from pipeline.scopes.opening import variable_scope
from pipeline.scopes.scope import get_variable_scope
from pipeline.scopes.spec import GraphKeys, ValueOf, VariableSpec
from pipeline.scopes.store import VariableStore, current_store
from pipeline.scopes.variable import NamedVariable

_AVERAGED = ("float16", "bfloat16", "float32", "float64")


def ema_decay(decay: ArrayLike, num_updates: ArrayLike | None) -> Array:
    """The decay in effect: `min(decay, (1 + n) / (10 + n))` after n updates (H3).

    Args:
        decay: between 0 and 1.
        num_updates: the number of steps so far; None for a constant decay.
    """
    fixed = jnp.asarray(decay, jnp.float32)
    if num_updates is None:
        return fixed
    steps = jnp.asarray(num_updates, jnp.float32)
    return jnp.minimum(fixed, (1.0 + steps) / (10.0 + steps))


def ema_update(shadow: Array, value: Array, decay: ArrayLike) -> Array:
    """The next shadow, `shadow - (1 - decay) · (shadow - value)`, rounded as TensorFlow does."""
    rate = (1.0 - jnp.asarray(decay, jnp.float32)).astype(shadow.dtype)
    return shadow - (shadow - value) * rate


class ExponentialMovingAverage:
    """Shadow variables that follow others: `layer1/weights/ExponentialMovingAverage` (H1).

    Args:
        decay: between 0 and 1; the nearer to 1, the slower.
        num_updates: a variable or number that makes the decay smaller at the start (H3).
        name: the last part of the shadows' names.
    """

    def __init__(self, decay: ArrayLike, num_updates: Any = None,
                 name: str = "ExponentialMovingAverage") -> None:
        self._decay = decay
        self._num_updates = num_updates
        self.name = name
        self._shadows: WeakKeyDictionary[VariableStore, dict[str, str]] = WeakKeyDictionary()

    def apply(self, var_list: Iterable[Any] | None = None) -> Callable[[], None]:
        """Makes the shadows, which begin at their variables' values; returns the update.

        Args:
            var_list: all trainable variables when not given.

        Returns:
            What moves the shadows once, to be called after each training step.

        Raises:
            ScopeTypeError: a variable that holds no floating point numbers.
        """
        variables = list(trainable_variables() if var_list is None else var_list)
        for variable in variables:
            if variable.spec.dtype.name not in _AVERAGED:
                raise ScopeTypeError("The variables must be half, float, or double: "
                                     f"{variable.name}")
            if variable.op_name not in self._known():
                add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, variable)
                self._known()[variable.op_name] = _make_shadow(variable, self.name)
        return lambda: self._update(variables)

    def average(self, variable: Any) -> Any:
        """The shadow of a variable; None if it has none."""
        name = self._known().get(variable.op_name)
        return None if name is None else current_store()[name]

    def average_name(self, variable: Any) -> str:
        """The name of a variable's shadow, or what it would be."""
        known = self._known().get(variable.op_name)
        names = namespace_of(current_store()).names
        return known or names.free(join(variable.op_name, self.name))

    def variables_to_restore(self, moving_avg_variables: Iterable[Any] | None = None
                             ) -> dict[str, Any]:
        """Checkpoint key → variable, so that a Saver restores averages into variables (H2).

        Args:
            moving_avg_variables: those that have averages; all trainable variables, and those in
                the collection of moving averages, when not given.
        """
        if moving_avg_variables is None:
            moving_avg_variables = [*trainable_variables(), *moving_average_variables()]
        averaged = {variable.op_name: variable for variable in moving_avg_variables}
        names = {self.average_name(variable): variable for variable in averaged.values()}
        for variable in global_variables():
            if variable.op_name not in averaged:
                names.setdefault(variable.op_name, variable)
        return names

    def _known(self) -> dict[str, str]:
        return self._shadows.setdefault(current_store(), {})

    def _update(self, variables: Iterable[Any]) -> None:
        updates = self._num_updates
        steps = updates.read() if isinstance(updates, NamedVariable) else updates
        decay = ema_decay(self._decay, steps)
        for variable in variables:
            shadow = self.average(variable)
            shadow.assign(ema_update(shadow.read(), variable.read(), decay))


def _make_shadow(variable: Any, suffix: str) -> str:
    """Makes the shadow in the open variable scope, and returns its name."""
    with variable_scope(None, join(variable.op_name, suffix)):
        name = get_variable_scope().name
    # `get_variable` does not find it: TensorFlow keeps it under a key that ends in a slash.
    spec = VariableSpec(name, variable.spec.shape, variable.spec.dtype, trainable=False,
                        collections=(GraphKeys.GLOBAL_VARIABLES,),
                        initializer=ValueOf(variable.op_name), key=f"{name}/")
    add_variable(current_store(), spec)
    return name
