"""What a Saver can save, as slots by name: a way to get the current value, and one to set it.

No variable class is imported. A variable is what has `get_value` and `set_value` (flax nnx, and so
the `scopes` library), or `assign` and `numpy` (TensorFlow's own). Its name is its `op_name`, or its
`name` without the `:0`. Everything with a shape and a dtype is an array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint.errors import InvalidArgumentError, InvalidTypeError
from pipeline.checkpoint.slices import PartitionedTensor

_GLOBAL_VARIABLES = "variables"  # tf.GraphKeys.GLOBAL_VARIABLES
_NO_MODULES = (type, ModuleType, FunctionType)


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
    """The variables or arrays of a dict, a nested dict, a list, a store or a module, by name.

    A list gives the variables' own names, a dict its keys; nested dicts and modules join theirs
    with slashes, as scopes do.

    Raises:
        InvalidArgumentError: two variables have one name, or one variable two; there is none.
        InvalidTypeError: something in it is no variable, or a name is no string.
    """
    if isinstance(variables, Mapping):
        named = list(_of_mapping(variables, ""))
    elif is_variable(variables) or isinstance(variables, str | bytes):
        raise _no_container(variables)
    elif isinstance(variables, Iterable):
        named = [(name_of(variable), variable) for variable in variables]
    elif hasattr(variables, "__dict__"):
        named = list(_of_module(variables, "", set()))
    else:
        raise _no_container(variables)
    return _unique(named)


def _no_container(found: Any) -> InvalidTypeError:
    return InvalidTypeError("Variables to save should be passed in a dict or a list. "
                            f"Got {found!r}")


def is_variable(candidate: Any) -> bool:
    """Whether something holds a value that can be replaced."""
    return all(hasattr(candidate, name) for name in ("get_value", "set_value")) or all(
        hasattr(candidate, name) for name in ("assign", "numpy")
    )


def _is_array(candidate: Any) -> bool:
    return isinstance(candidate, PartitionedTensor | int | float | complex | bytes | str) or all(
        hasattr(candidate, name) for name in ("shape", "dtype")
    )


def _unique(named: list[tuple[str, Any]]) -> dict[str, Any]:
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
        raise InvalidTypeError(f"Variable to save is not a Variable: {variable!r}")
    if not isinstance(name, str):
        raise InvalidTypeError(f"Variable to save has no name: {variable!r}; pass a dict of names")
    return name.removesuffix(":0")


def _of_mapping(tree: Mapping[Any, Any], scope: str) -> Iterator[tuple[str, Any]]:
    for key, found in tree.items():
        if not isinstance(key, str):
            raise InvalidTypeError("names_to_saveables must be a dict mapping string names to "
                                   f"Tensors/Variables. Name is not a string: {key!r}")
        name = scope + key
        if isinstance(found, Mapping):
            yield from _of_mapping(found, name + "/")
        elif is_variable(found) or _is_array(found):
            yield name, found
        elif isinstance(found, list | tuple):
            yield from _of_mapping({str(i): part for i, part in enumerate(found)}, name + "/")
        elif hasattr(found, "__dict__"):
            yield from _of_module(found, name + "/", set())
        else:
            raise InvalidTypeError("names_to_saveables must be a dict mapping string names to "
                                   f"Tensors/Variables. Not a variable: {name} is {found!r}")


def _of_module(module: Any, scope: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The variables below a module's public attributes, each once, in the order of their paths."""
    if id(module) in seen:
        return
    seen.add(id(module))
    for key, found in sorted(_children(module), key=lambda child: child[0]):
        if is_variable(found):
            if id(found) not in seen:
                seen.add(id(found))
                yield scope + key, found
        else:
            yield from _of_module(found, f"{scope}{key}/", seen)


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        yield from ((str(key), found) for key, found in node.items())
    elif isinstance(node, list | tuple):
        yield from ((str(index), found) for index, found in enumerate(node))
    elif hasattr(node, "__dict__") and not isinstance(node, _NO_MODULES):
        yield from ((key, found) for key, found in vars(node).items() if not key.startswith("_"))


def _like(current: Any, array: NDArray[Any]) -> Any:
    """The array as what `current` is: partitioned, or of its library and on its device."""
    if isinstance(current, PartitionedTensor):
        return current.with_values(array)
    if isinstance(current, np.ndarray | np.generic) or not hasattr(current, "__array_namespace__"):
        return array
    library = current.__array_namespace__()
    return library.asarray(array, device=getattr(current, "sharding", None))


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array-like."""
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def dtype_of(value: Any) -> np.dtype[Any]:
    """The NumPy dtype of an array-like; a partitioned tensor's is that of its parts."""
    if isinstance(value, PartitionedTensor):
        return dtype_of(value.parts[0].value)
    return np.dtype(value.dtype) if hasattr(value, "dtype") else np.asarray(value).dtype


def as_tree(variables: Any, values: Mapping[str, Any]) -> Any:
    """Values by name, in the nesting of `variables` where that is a dict."""
    if isinstance(variables, Mapping):
        return _nested(variables, values, "")
    return dict(values)


def _nested(tree: Mapping[str, Any], values: Mapping[str, Any], scope: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, found in tree.items():
        if scope + key in values:
            out[key] = values[scope + key]
        elif isinstance(found, list | tuple):
            parts = {str(index): part for index, part in enumerate(found)}
            out[key] = type(found)(_nested(parts, values, f"{scope}{key}/").values())
        elif isinstance(found, Mapping):
            out[key] = _nested(found, values, f"{scope}{key}/")
        else:
            out[key] = found
    return out


def shards_by_device(tensors: Mapping[str, Any]) -> dict[str, int]:
    """The data file of each tensor, one per device; what has no device is with the first."""
    devices = {name: str(getattr(value, "device", "")) for name, value in tensors.items()}
    order = sorted(set(devices.values()))
    return {name: order.index(device) for name, device in devices.items()}


def shards_by_size(tensors: Mapping[str, Any], count: int) -> dict[str, int]:
    """The data file of each tensor, of `count` or one per tensor: the largest go first, each to the
    file that is the smallest so far; files are numbered in the order of their first tensor."""
    filled = [0] * min(count, max(1, len(tensors)))
    chosen: dict[str, int] = {}
    sizes = {name: _size(value) for name, value in tensors.items()}
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        chosen[name] = min(range(len(filled)), key=lambda file: (filled[file], file))
        filled[chosen[name]] += max(1, sizes[name])
    order = list(dict.fromkeys(chosen[name] for name in tensors))
    return {name: order.index(chosen[name]) for name in tensors}


def _size(value: Any) -> int:
    """About how many bytes a value takes; what cannot be saved is refused elsewhere."""
    itemsize = getattr(getattr(value, "dtype", None), "itemsize", 8)
    return math.prod(getattr(value, "shape", ())) * int(itemsize)
