"""What a new variable begins with: shape, dtype and initializer, settled from what was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import take_current_trace

from pipeline.scopes import initializers
from pipeline.scopes.errors import ScopeError
from pipeline.scopes.spec import ValueOf
from pipeline.scopes.variable import NamedVariable


@dataclass(frozen=True)
class Initial:
    """A settled shape and dtype, and what makes the value."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    make: Callable[..., Any] | ValueOf


def settle(name: str, shape: tuple[int, ...] | None, dtype: np.dtype[np.generic],
           initializer: Any) -> Initial:
    """What `get_variable` shall begin with.

    Args:
        name: of the variable, for the errors.
        shape: as declared; None to take the initializer's.
        dtype: as declared; an initializer that is a value brings its own.
        initializer: an instance or class, a function, a value, or None for the dtype's default.

    Raises:
        ScopeError: shape and initializer do not determine a value, or JAX has no such dtype.
    """
    if isinstance(initializer, type):
        initializer = initializer()
    if initializer is None:
        if shape is None:
            raise ScopeError(f"Variable {name} did not get an initializer, so its `shape` argument "
                             "must be specified.")
        initializer = initializers.default(name, dtype)
    if not callable(initializer) or _takes_nothing(initializer):
        return from_value(name, initializer, None)
    if shape is None:
        raise ScopeError(f"{name}: The initializer passed is not valid. It should be a callable "
                         "with no arguments and the shape should not be provided, or one of "
                         "(key, shape, dtype) and `shape` should be fully defined.")
    return Initial(shape, _supported(name, dtype), initializer)


def from_value(name: str, value: Any, dtype: np.dtype[np.generic] | None) -> Initial:
    """An initial value that is an array already, or that a function of no arguments makes.

    Args:
        name: of the variable, for the errors.
        value: the array, number or function; another variable for one that begins like it.
        dtype: to convert to; None for the value's own, as JAX sees it.

    Raises:
        ScopeError: the value is a tracer, or JAX has no such dtype.
    """
    if dtype is not None:
        _supported(name, dtype)
    if isinstance(value, NamedVariable):
        return Initial(value.shape, dtype or value.dtype, ValueOf(value.op_name))
    if callable(value):
        made = jax.eval_shape(lambda: jnp.asarray(value(), dtype))
        return Initial(made.shape, np.dtype(made.dtype), lambda *_: value())
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value)):
        raise ScopeError(f"{name}: its initial value is computed inside the function that is being "
                         "traced; give a NumPy array, a number, or a function of no arguments")
    with take_current_trace():
        array = jnp.asarray(value, dtype)
    return Initial(array.shape, np.dtype(array.dtype), lambda *_: array)


def settle_shape(name: str, shape: Sequence[int] | int) -> tuple[int, ...]:
    """The shape as a tuple.

    Raises:
        ScopeError: an axis without a size, or with a negative one.
    """
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if any(size is None for size in sizes):
        raise ScopeError(f"{name}: The initializer passed is not valid: `shape` should be fully "
                         f"defined; found {sizes}")
    if any(int(size) < 0 for size in sizes):
        raise ScopeError(f"{name}: sizes must be 0 or more; found {sizes}")
    return tuple(int(size) for size in sizes)


def check_dtype(initializer: Any, dtype: np.dtype[np.generic] | None) -> None:
    """Refuses an initializer that is a value of another type than the explicit one (A9).

    Raises:
        ScopeError: the types differ.
    """
    if dtype is None or initializer is None or callable(initializer):
        return
    found = np.dtype(jnp.asarray(initializer).dtype)
    if found != dtype:
        raise ScopeError(f"Initializer type '{found}' and explicit dtype '{dtype}' don't match.")


def _takes_nothing(function: Callable[..., Any]) -> bool:
    """Whether it can be called without arguments, as A10 allows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return False
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty or p.kind in kinds for p in parameters)


def _supported(name: str, dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """The dtype itself, if JAX has it."""
    if dtype.kind in "SUO":
        raise ScopeError(f"{name}: variables of strings are not supported; JAX has no strings")
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise ScopeError(f"{name}: dtype {dtype} needs JAX's 64-bit mode (runtime.x64=true, or "
                         "jax.config.update('jax_enable_x64', True))")
    return dtype
