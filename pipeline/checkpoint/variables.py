"""What a Saver can save, as slots by name: a way to get the current value, and one to set it.

No variable class is imported. A variable is what has `get_value` and `set_value` (flax nnx, and so
the `scopes` library), or `assign` and `numpy` (TensorFlow's own). Its name is its `op_name`, or its
`name` without the `:0`. Everything with a shape and a dtype is an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint.errors import InvalidArgumentError, InvalidTypeError
from pipeline.checkpoint.slices import PartitionedTensor
from pipeline.checkpoint.tree import (
    briefly,
    is_record,
    is_sequence_of_trees,
    is_variable,
    named_leaves,
    rebuilt,
)

_GLOBAL_VARIABLES = "variables"  # tf.GraphKeys.GLOBAL_VARIABLES


@dataclass(frozen=True)
class Slot:
    """A named place of values; `set` is None for an array: only the restored tree replaces it."""

    get: Callable[[], Any]
    set: Callable[[Any], object] | None

    def restored(self, array: NDArray[Any]) -> Any:
        """Puts an array of the right shape and dtype in the place; returns what is there now."""
        current = self.get()
        value = _like(current, array)
        if self.set is not None:
            self.set(value)
        return value


def slots_of(variables: Any) -> dict[str, Slot]:
    """A slot for each of `named_variables`; raises as that does."""
    return {name: _slot(found) for name, found in named_variables(variables).items()}


def saved_slots_of(variables: Any) -> dict[str, Slot]:
    """`slots_of`; of a whole store only the global variables, as TensorFlow saves by default.

    Neither local ones nor those of other collections alone are (tf1_semantics.md C2).
    """
    chosen = isinstance(variables, Mapping | Sequence | Set | Iterator)
    return {name: _slot(found) for name, found in named_variables(variables).items()
            if chosen or _is_global(found)}


def _is_global(found: Any) -> bool:
    collections = getattr(getattr(found, "spec", None), "collections", None)
    return collections is None or _GLOBAL_VARIABLES in collections


def named_variables(variables: Any) -> dict[str, Any]:
    """The variables or arrays of a list, a store, or a tree of dicts, records and modules, by name.

    A list gives the variables' own names; everything else its keys, fields and attributes, joined
    with slashes as scopes are: see `pipeline.checkpoint.tree`.

    Raises:
        InvalidArgumentError: two variables have one name, or one variable two; there is none.
        InvalidTypeError: something in it is no variable, or a name is no string.
    """
    if isinstance(variables, Mapping) or is_record(variables) or is_sequence_of_trees(variables):
        return _unique(named_leaves(variables))
    if is_variable(variables) or isinstance(variables, str | bytes):
        raise _no_container(variables)
    if isinstance(variables, Iterable):
        return _unique((name_of(variable), variable) for variable in variables)
    if hasattr(variables, "__dict__"):
        return _unique(named_leaves(variables))
    raise _no_container(variables)


def _no_container(found: Any) -> InvalidTypeError:
    return InvalidTypeError("Variables to save should be passed in a dict or a list. "
                            f"Got {briefly(found)}")


def _unique(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    seen: dict[int, str] = {}
    for name, found in named:
        if name in unique:
            raise InvalidArgumentError(f"At least two variables have the same name: {name}")
        if is_variable(found) and id(found) in seen:
            raise InvalidArgumentError("The same saveable will be restored with two names: "
                                       f"{name} and {seen[id(found)]}")
        seen[id(found)] = name
        unique[name] = found
    return unique


def _slot(found: Any) -> Slot:
    if not is_variable(found):
        return Slot(lambda: found, None)
    if hasattr(found, "set_value"):
        return Slot(found.get_value, found.set_value)
    return Slot(found.numpy, found.assign)


def name_of(variable: Any) -> str:
    """The name that a variable has in a checkpoint.

    Raises:
        InvalidTypeError: it has none, or is no variable.
    """
    name = getattr(variable, "op_name", None) or getattr(variable, "name", None)
    if not is_variable(variable):
        raise InvalidTypeError(f"Variable to save is not a Variable: {briefly(variable)}")
    if not isinstance(name, str):
        raise InvalidTypeError(f"Variable to save has no name: {briefly(variable)}; "
                               "pass a dict of names")
    return name.removesuffix(":0")


def _like(current: Any, array: NDArray[Any]) -> Any:
    """The array as what `current` is: partitioned, a number, of its library and on its device."""
    if isinstance(current, PartitionedTensor):
        return current.with_values(array)
    if is_number(current):
        return array.item()
    if isinstance(current, np.ndarray | np.generic) or not hasattr(current, "__array_namespace__"):
        return array
    library = current.__array_namespace__()
    return library.asarray(array, device=getattr(current, "sharding", None))


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array-like."""
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def dtype_of(value: Any) -> Any:
    """The dtype of an array-like; a partitioned tensor's is that of its parts."""
    if isinstance(value, PartitionedTensor):
        return dtype_of(value.parts[0].value)
    return value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype


def is_number(value: Any) -> bool:
    """Whether it is a number of Python's own, which has a kind but no dtype."""
    return isinstance(value, int | float | complex) and not isinstance(value, np.generic)


def as_tree(variables: Any, values: Mapping[str, Any]) -> Any:
    """Values by name, in the nesting of `variables` where that is a mapping or a record."""
    if isinstance(variables, Mapping) or is_record(variables) or is_sequence_of_trees(variables):
        return rebuilt(variables, values)
    return dict(values)
