"""`get_variable`, `get_local_variable` and `Variable`: how variables are made and found again.

tf1_semantics.md, section 1A, is the specification; its row numbers stand beside the rules.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from numpy.typing import DTypeLike

from pipeline.scopes.errors import ScopeError, ScopeTypeError
from pipeline.scopes.initial import check_dtype, from_value, settle, settle_shape
from pipeline.scopes.names import check_nested, check_root, check_text, check_variable, join
from pipeline.scopes.namespace import Namespace, add_variable, namespace_of
from pipeline.scopes.regularizers import Regularizer, no_regularizer
from pipeline.scopes.scope import Getter, Reuse, current_name_scope, get_variable_scope
from pipeline.scopes.spec import GraphKeys, VariableSpec
from pipeline.scopes.store import current_store
from pipeline.scopes.unsupported import refuse

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
    **unsupported: Any,
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
        **unsupported: TensorFlow's other arguments, which are refused unless they are None.

    Returns:
        An `nnx.Param` or `nnx.Variable` with `.name`; on reuse the same object.

    Raises:
        ScopeTypeError: a name that is no string, or an argument that means nothing here.
        ScopeError: it exists and may not (A2), or the other way round (A3); shape or dtype differ
            from the existing ones (A5, A6); shape or initializer are missing or do not fit.
    """
    refuse("get_variable", unsupported)
    check_text(name)
    scope = get_variable_scope()
    inherited = scope.inherited
    initializer = inherited.initializer if initializer is None else initializer
    check_dtype(initializer, None if dtype is None else np.dtype(dtype))
    getter = custom_getter or inherited.custom_getter
    if getter is not None and not callable(getter):
        raise ScopeError(f"Passed a custom_getter which is not callable: {getter}")
    return (getter or _call)(
        get_or_create,
        join(scope.name, name),
        shape=shape,
        dtype=inherited.dtype if dtype is None else np.dtype(dtype),
        initializer=initializer,
        regularizer=inherited.regularizer if regularizer is None else regularizer,
        trainable=trainable,
        collections=collections,
        reuse=scope.reuse if reuse is None else reuse,
    )


def get_local_variable(name: str, *args: Any, **kwargs: Any) -> Any:
    """Makes or finds a variable that is neither trained nor saved, in `local_variables`."""
    kwargs["trainable"] = False
    kwargs["collections"] = [*(kwargs.get("collections") or []), GraphKeys.LOCAL_VARIABLES]
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
        ScopeTypeError: a name that is no string.
        ScopeError: an illegal name, or an initial value that depends on traced arguments.
    """
    store = current_store()
    name, outside = name or "Variable", current_name_scope()
    check_text(name)
    check_variable(check_nested(name) if outside else check_root(name))
    full_name = join(outside, name)
    initial = from_value(full_name, initial_value, None if dtype is None else np.dtype(dtype))
    full_name = namespace_of(store).names.free(full_name)
    spec = VariableSpec(full_name, initial.shape, initial.dtype, trainable,
                        _collections(trainable, collections), initial.make)
    return add_variable(store, spec)


def get_or_create(
    name: str,
    shape: Sequence[int] | int | None = None,
    dtype: DTypeLike = np.float32,
    initializer: Any = None,
    regularizer: Regularizer | None = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    reuse: Reuse = None,
    like: Any = None,
) -> Any:
    """The true getter: `get_variable` with everything settled and the full name.

    Args:
        name: from the root.
        like: an nnx variable whose type a new one takes.
        shape, dtype, initializer, regularizer, trainable, collections, reuse: as there.
    """
    store = current_store()
    namespace = namespace_of(store)
    dtype = np.dtype(dtype)
    if initializer is not None and not callable(initializer) and shape is not None:
        raise ScopeError("If initializer is a constant, do not specify shape.")
    declared = None if shape is None else settle_shape(name, shape)
    if name in namespace.by_key:
        if not reuse:
            raise ScopeError(_already_exists(namespace, name))
        return _check_found(store[namespace.by_key[name]], name, declared, dtype)
    if reuse is True:
        raise ScopeError(
            f"Variable {name} does not exist, or was not created with get_variable(). "
            "Did you mean to set reuse=AUTO_REUSE in VarScope?"
        )
    initial = settle(name, declared, dtype, initializer)
    check_variable(check_root(name))
    spec = VariableSpec(
        namespace.names.free(name), initial.shape, initial.dtype, trainable,
        _collections(trainable, collections), initial.make,
        None if regularizer is no_regularizer else regularizer, name,
    )
    namespace.defined_at[name] = _caller()
    return add_variable(store, spec, like)


def _check_found(variable: Any, name: str, shape: tuple[int, ...] | None,
                 dtype: np.dtype[np.generic]) -> Any:
    if shape is not None and shape != variable.shape:
        raise ScopeError(f"Trying to share variable {name}, but specified shape {shape} and found "
                         f"shape {variable.shape}.")
    if dtype != variable.dtype:
        raise ScopeError(f"Trying to share variable {name}, but specified dtype {dtype} and found "
                         f"dtype {variable.dtype}.")
    return variable


def _call(getter: Getter, *args: Any, **kwargs: Any) -> Any:
    return getter(*args, **kwargs)


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
