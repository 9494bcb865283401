"""Choosing among variables by name, for a Saver or a warm start that takes only a part of them.

These are the functions of `tf.contrib.framework` that TensorFlow 1 programs fine-tune with
(tf1_semantics.md G5), over whatever a `Saver` takes instead of over a graph's collections.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.checkpoint.errors import InvalidArgumentError
from pipeline.checkpoint.variables import named_variables


def get_variables_to_restore(
    variables: Any, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
) -> dict[str, Any]:
    """Variables by name: those that `include` names or has the scope of, without `exclude`'s."""
    including, excluding = None if include is None else tuple(include), tuple(exclude or ())
    return {name: found for name, found in named_variables(variables).items()
            if (including is None or _below(name, including)) and not _below(name, excluding)}


def get_variables_by_suffix(variables: Any, suffix: str, scope: str = "") -> dict[str, Any]:
    """Variables by name, of those below `scope` whose name ends with `suffix`."""
    return {name: found for name, found in named_variables(variables).items()
            if name.endswith(suffix) and (not scope or _below(name, (scope,)))}


def get_variables_by_name(variables: Any, given_name: str, scope: str = "") -> dict[str, Any]:
    """Variables by name, of those below `scope` whose last part is `given_name`."""
    ending = get_variables_by_suffix(variables, given_name, scope)
    return {name: found for name, found in ending.items()
            if name == given_name or name.endswith("/" + given_name)}


def get_unique_variable(variables: Any, name: str) -> Any:
    """The variable of that full name.

    Raises:
        InvalidArgumentError: there is none.
    """
    named = named_variables(variables)
    if name.removesuffix(":0") not in named:
        raise InvalidArgumentError(f"Couldn't find variable {name}; the model has "
                                   f"{', '.join(named) or 'none'}")
    return named[name.removesuffix(":0")]


def _below(name: str, scopes: Iterable[str]) -> bool:
    return any(name == scope or name.startswith(scope.rstrip("/") + "/") for scope in scopes)
