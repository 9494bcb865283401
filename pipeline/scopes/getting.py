"""`get_variable`, `get_local_variable` and `Variable`: how variables are made and found again.

tf1_semantics.md, section 1A, is the specification; its row numbers stand beside the rules.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import DTypeLike

from pipeline.scopes import initializers
from pipeline.scopes.errors import ScopeError, ScopeTypeError
from pipeline.scopes.names import check_root, join
from pipeline.scopes.namespace import Namespace
from pipeline.scopes.regularizers import Regularizer, no_regularizer
from pipeline.scopes.scope import (
    Getter,
    Reuse,
    current_name_scope,
    get_variable_scope,
)
from pipeline.scopes.spec import GraphKeys, VariableSpec
from pipeline.scopes.store import VariableStore, add_variable, current_store, namespace_of

_HERE = str(Path(__file__).parent)


def get_variable(
    name: str,
    shape: Sequence[int] | int | None = None,
    dtype: DTypeLike | None = None,
    initializer: Any = None,
    regularizer: Regularizer | None = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    custom_getter: Getter | None = None,
    reuse: Reuse = None,
) -> Any:
    """The variable `scope/name`, made or found as the open scope's `reuse` says.

    Args:
        name: below the open variable scope; name scopes do not count (A1).
        shape: may be left out when the variable exists, or the initializer has one.
        dtype: the scope's when not given: float32 unless one was handed down.
        initializer: `f(key, shape, dtype)`; an array or number, which brings shape and dtype along;
            or a function of no arguments that makes one. The scope's, or else the default for the
            dtype when not given.
        regularizer: its penalty; the scope's when not given.
        trainable: whether optimizers change it.
        collections: instead of `variables`; `trainable_variables` is added if trainable (A12).
        custom_getter: called in place of the true getter, which it is given first.
        reuse: overrides the scope's.

    Returns:
        An `nnx.Param` or `nnx.Variable` with `.name`; on reuse the same object.

    Raises:
        ScopeError: it exists and may not (A2), or the other way round (A3); shape or dtype differ
            from the existing ones (A5, A6); shape or initializer are missing or do not fit.
    """
    scope = get_variable_scope()
    inherited = scope.inherited
    initializer = inherited.initializer if initializer is None else initializer
    explicit = None if dtype is None else np.dtype(dtype)
    getter = custom_getter or inherited.custom_getter
    if getter is not None and not callable(getter):
        raise ScopeError(f"Passed a custom_getter which is not callable: {getter}")
    _check_dtype_of_value(initializer, explicit)
    arguments: dict[str, Any] = {
        "shape": shape,
        "dtype": inherited.dtype if explicit is None else explicit,
        "initializer": initializer,
        "regularizer": inherited.regularizer if regularizer is None else regularizer,
        "trainable": trainable,
        "collections": collections,
        "reuse": scope.reuse if reuse is None else reuse,
    }
    full_name = join(scope.name, name)
    if getter is None:
        return _get_or_create(full_name, **arguments)
    return getter(_get_or_create, full_name, **arguments)


def get_local_variable(name: str, *args: Any, **kwargs: Any) -> Any:
    """Makes or finds a variable that is neither trained nor saved, in `local_variables`."""
    kwargs["trainable"] = False
    kwargs.setdefault("collections", [GraphKeys.LOCAL_VARIABLES])
    return get_variable(name, *args, **kwargs)


def Variable(
    initial_value: ArrayLike | Callable[[], ArrayLike],
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    name: str | None = None,
    dtype: DTypeLike | None = None,
) -> Any:
    """Makes a variable; a taken name becomes `name_1`. `get_variable` does not find it (A4).

    Args:
        initial_value: an array or number, or a function of no arguments that makes one.
        trainable: whether optimizers change it.
        collections: instead of `variables`; `trainable_variables` is added if trainable.
        name: below the open *name* scope (B19); "Variable" when not given.
        dtype: of the value when not given.

    Raises:
        ScopeError: an illegal name, or an initial value that depends on traced arguments.
    """
    store = current_store()
    full_name = check_root(join(current_name_scope(), name or "Variable"))
    initial = _from_value(full_name, initial_value, None if dtype is None else np.dtype(dtype))
    full_name = namespace_of(store).names.unique(full_name)
    spec = VariableSpec(full_name, initial.shape, initial.dtype, trainable,
                        _collections(trainable, collections), initial.make)
    return add_variable(store, spec)


def _get_or_create(
    name: str,
    shape: Sequence[int] | int | None = None,
    dtype: DTypeLike = np.float32,
    initializer: Any = None,
    regularizer: Regularizer | None = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    reuse: Reuse = None,
) -> Any:
    store = current_store()
    namespace = namespace_of(store)
    dtype = np.dtype(dtype)
    if initializer is not None and not callable(initializer) and shape is not None:
        raise ScopeError("If initializer is a constant, do not specify shape.")
    declared = None if shape is None else _shape(name, shape)
    if name in namespace.by_key:
        if not reuse:
            raise ScopeError(_already_exists(namespace, name))
        return _check_found(store[namespace.by_key[name]], name, declared, dtype)
    if reuse is True:
        raise ScopeError(
            f"Variable {name} does not exist, or was not created with get_variable(). "
            "Did you mean to set reuse=AUTO_REUSE in VarScope?"
        )
    return _create(store, name, declared, dtype, initializer, regularizer, trainable, collections)


def _create(
    store: VariableStore,
    name: str,
    shape: tuple[int, ...] | None,
    dtype: np.dtype[np.generic],
    initializer: Any,
    regularizer: Regularizer | None,
    trainable: bool,
    collections: Sequence[str] | None,
) -> Any:
    initial = _initial(name, shape, dtype, initializer)
    namespace = namespace_of(store)
    if not name.rpartition("/")[2]:
        raise ScopeError(f"'{name}': a variable needs a name; found an empty one")
    op_name = namespace.names.unique(check_root(name))
    regularizer = None if regularizer is no_regularizer else regularizer
    spec = VariableSpec(op_name, initial.shape, initial.dtype, trainable,
                        _collections(trainable, collections), initial.make, regularizer, name)
    variable = add_variable(store, spec)
    namespace.defined_at[name] = _caller()
    return variable


@dataclass(frozen=True)
class _Initial:
    """A settled shape and dtype, and what makes the value."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    make: Callable[..., Any]


def _initial(name: str, shape: tuple[int, ...] | None, dtype: np.dtype[np.generic],
             initializer: Any) -> _Initial:
    if isinstance(initializer, type):
        initializer = initializer()
    if initializer is None:
        if shape is None:
            raise ScopeError(f"Variable {name} did not get an initializer, so its `shape` argument "
                             "must be specified.")
        initializer = initializers.default(name, dtype)
    if not callable(initializer):
        return _from_value(name, initializer, None)
    if shape is None or _takes_nothing(initializer):
        if not _takes_nothing(initializer):
            raise ScopeError(f"{name}: The initializer passed is not valid. It should be a "
                             "callable with no arguments and the shape should not be provided, or "
                             "one of (key, shape, dtype) and `shape` should be fully defined.")
        return _from_value(name, initializer, None)
    return _Initial(shape, _supported(name, dtype), initializer)


def _from_value(name: str, value: Any, dtype: np.dtype[np.generic] | None) -> _Initial:
    """An initial value that is an array already, or a function of no arguments makes one."""
    if callable(value):
        made = jax.eval_shape(lambda: jnp.asarray(value(), dtype))
        return _Initial(made.shape, np.dtype(made.dtype), lambda *_: value())
    if isinstance(value, jax.core.Tracer):
        raise ScopeError(f"{name}: its initial value is computed inside the function that is being "
                         "traced; give a NumPy array, a number, or a function of no arguments")
    if dtype is not None:
        _supported(name, dtype)
    array = jnp.asarray(value, dtype)
    return _Initial(array.shape, np.dtype(array.dtype), lambda *_: array)


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


def _shape(name: str, shape: Sequence[int] | int) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if any(size is None for size in sizes):
        raise ScopeError(f"{name}: The initializer passed is not valid: `shape` should be fully "
                         f"defined; found {sizes}")
    if any(int(size) < 0 for size in sizes):
        raise ScopeError(f"{name}: sizes must be 0 or more; found {sizes}")
    return tuple(int(size) for size in sizes)


def _check_dtype_of_value(initializer: Any, dtype: np.dtype[np.generic] | None) -> None:
    if dtype is None or initializer is None or callable(initializer):
        return
    found = np.dtype(jnp.asarray(initializer).dtype)
    if found != dtype:
        raise ScopeError(f"Initializer type '{found}' and explicit dtype '{dtype}' don't match.")


def _check_found(variable: Any, name: str, shape: tuple[int, ...] | None,
                 dtype: np.dtype[np.generic]) -> Any:
    if shape is not None and shape != variable.shape:
        raise ScopeError(f"Trying to share variable {name}, but specified shape {shape} and found "
                         f"shape {variable.shape}.")
    if dtype != variable.dtype:
        raise ScopeError(f"Trying to share variable {name}, but specified dtype {dtype} and found "
                         f"dtype {variable.dtype}.")
    return variable


def _collections(trainable: bool, collections: Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(collections, str):
        raise ScopeTypeError(f"collections must be a list of names; found {collections!r}")
    names = tuple(collections) if collections is not None else (GraphKeys.GLOBAL_VARIABLES,)
    if trainable and GraphKeys.TRAINABLE_VARIABLES not in names:
        names += (GraphKeys.TRAINABLE_VARIABLES,)
    return names


def _already_exists(namespace: Namespace, name: str) -> str:
    where = namespace.defined_at.get(name)
    return (f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
            "reuse=AUTO_REUSE in VarScope?" + (f" Originally defined at {where}" if where else ""))


def _caller() -> str:
    """`file.py:12` of the nearest frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
