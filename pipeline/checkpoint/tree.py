"""How variables and arrays lie in a tree, what they are called there, and the tree made anew.

    mapping, list, tuple         its keys and indices
    named tuple, dataclass       its fields: optax's states, flax's TrainState, Equinox's modules
    any other object             its attributes: flax nnx's modules

Slashes join the names. An object's arrays are assigned to; what holds arrays otherwise is made anew
with others.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping, MutableSequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from pipeline.checkpoint.errors import InvalidTypeError
from pipeline.checkpoint.slices import PartitionedTensor

_NO_OBJECTS = (type, ModuleType, FunctionType)
_OF_NNX = "_pytree__"  # begins the attributes in which flax nnx keeps what it knows of a module


@dataclasses.dataclass(frozen=True)
class Place:
    """Where an object holds an array that no variable holds: used as a variable."""

    get_value: Callable[[], Any]
    set_value: Callable[[Any], object]


def is_variable(candidate: Any) -> bool:
    """Whether something holds a value that can be replaced."""
    return _has(candidate, "get_value", "set_value") or _has(candidate, "assign", "numpy")


def is_record(node: Any) -> bool:
    """Whether it is a named tuple, or a dataclass that is no module of flax nnx."""
    return not isinstance(node, type) and (
        _is_named_tuple(node) or (dataclasses.is_dataclass(node) and not _is_of_nnx(node)))


def is_sequence_of_trees(node: Any) -> bool:
    """Whether it is a list or tuple of mappings, records and such: `(params, state)`."""
    return isinstance(node, list | tuple) and len(node) > 0 and all(
        isinstance(part, Mapping) or is_record(part) for part in node)


def briefly(found: Any) -> str:
    """Something for an error, without the elements of arrays."""
    if _has(found, "shape", "dtype"):
        return f"{type(found).__name__} of {found.dtype} {found.shape}"
    if isinstance(found, Mapping):
        return f"{type(found).__name__} of {', '.join(map(repr, list(found)[:4]))}"
    if isinstance(found, list | tuple) or is_record(found):
        return f"{type(found).__name__}"
    return repr(found)


def named_leaves(tree: Any) -> Iterator[tuple[str, Any]]:
    """The variables and arrays of a mapping, a record or an object, by name.

    Left out are fields that JAX treats as static, private attributes of objects other than flax
    nnx's, and nnx's random streams, for which TensorFlow has no type.

    Raises:
        InvalidTypeError: a mapping holds something else, or under a key that is no string; or an
            object holds an array where it cannot be assigned to.
    """
    if isinstance(tree, Mapping | list | tuple) or is_record(tree):
        yield from _of_tree(tree, "", strict=not is_record(tree))
    else:
        yield from _of_object(tree, "", set())


def rebuilt(tree: Any, values: Mapping[str, Any], scope: str = "") -> Any:
    """The same nesting with the values that are given by name; the outermost mapping is a dict."""
    new = {key: _renewed(found, values, f"{scope}{key}") for key, found in _children(tree)}
    if isinstance(tree, Mapping):
        kind: Any = type(tree)
        return kind(new) if scope and not isinstance(tree, dict) else new
    if _is_named_tuple(tree):
        return type(tree)(**new)
    if isinstance(tree, list | tuple):
        return type(tree)(new.values())
    made = copy.copy(tree)
    for name, value in new.items():
        object.__setattr__(made, name, value)  # a frozen dataclass refuses `setattr`
    return made


def _renewed(found: Any, values: Mapping[str, Any], name: str) -> Any:
    if name in values:
        return values[name]
    return rebuilt(found, values, f"{name}/") if _is_tree(found) else found


def _is_tree(node: Any) -> bool:
    return isinstance(node, Mapping | list | tuple) or is_record(node)


def _is_of_nnx(node: Any) -> bool:
    return hasattr(node, f"{_OF_NNX}state")


def _is_named_tuple(node: Any) -> bool:
    return isinstance(node, tuple) and hasattr(node, "_fields")


def _is_array(candidate: Any) -> bool:
    return isinstance(candidate, PartitionedTensor) or (
        _has(candidate, "shape", "dtype")  # as a module may have, too
        and not is_record(candidate) and not _is_of_nnx(candidate))


def _has(candidate: Any, *names: str) -> bool:
    """Whether it has these attributes; `hasattr` says yes to every name of an `nnx.Rngs`."""
    held = getattr(candidate, "__dict__", ())
    return not isinstance(candidate, type) and all(
        name in held or hasattr(type(candidate), name) for name in names)


def _is_random_stream(variable: Any) -> bool:
    return any(kind.__name__ == "RngState" for kind in type(variable).__mro__)


def _children(node: Any) -> Iterator[tuple[Any, Any]]:
    """What a mapping, list, tuple or record holds."""
    if isinstance(node, Mapping):
        yield from node.items()
    elif _is_named_tuple(node):
        yield from zip(node._fields, node, strict=True)
    elif isinstance(node, list | tuple):
        yield from enumerate(node)
    else:
        for field in dataclasses.fields(node):
            said = field.metadata  # by flax.struct, and by Equinox and jax.tree_util
            if said.get("pytree_node", True) and not said.get("static", False):
                yield field.name, getattr(node, field.name)


def _of_tree(node: Any, scope: str, *, strict: bool) -> Iterator[tuple[str, Any]]:
    """Of a tree that is made anew; `strict`: everything in it shall be saved."""
    for key, found in _children(node):
        counted = isinstance(node, list | tuple) or scope
        if not isinstance(key, str) and not (counted and isinstance(key, int)):
            raise InvalidTypeError("names_to_saveables must be a dict mapping string names to "
                                   f"Tensors/Variables. Name is not a string: {key!r}")
        name = f"{scope}{key}"
        if is_variable(found):
            if not _is_random_stream(found):
                yield name, found
        elif (_is_array(found) or isinstance(found, int | float | complex)
              or (strict and isinstance(found, str | bytes))):
            yield name, found
        elif _is_tree(found):
            yield from _of_tree(found, f"{name}/", strict=strict and not is_record(found))
        elif hasattr(found, "__dict__") and not isinstance(found, _NO_OBJECTS):
            yield from _of_object(found, f"{name}/", set())
        elif strict:
            raise InvalidTypeError("names_to_saveables must be a dict mapping string names to "
                                   f"Tensors/Variables. Not a variable: {name} is {briefly(found)}")


def _of_object(node: Any, scope: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Of an object and all that it holds, each once, in the order of their paths."""
    if id(node) in seen:
        return
    seen.add(id(node))
    for key, found, place in sorted(_held(node), key=lambda held: held[0]):
        name = scope + key
        if is_variable(found):
            if id(found) not in seen and not _is_random_stream(found):
                seen.add(id(found))
                yield name, found
        elif not _is_array(found) or isinstance(found, np.generic):
            yield from _of_object(found, f"{name}/", seen)
        elif place is None:
            raise InvalidTypeError(f"{name}: a {type(node).__name__} holds this array, where none "
                                   "can be assigned; put it in a variable or an attribute")
        else:
            yield name, place


def _held(node: Any) -> Iterator[tuple[str, Any, Place | None]]:
    """(name, what is there, the place, where something else can be put there)."""
    if _is_tree(node):
        mutable = isinstance(node, MutableMapping | MutableSequence)
        for key, found in _children(node):
            yield str(key), found, Place(partial(node.__getitem__, key),
                                         partial(node.__setitem__, key)) if mutable else None
    elif hasattr(node, "__dict__") and not isinstance(node, _NO_OBJECTS):
        bookkeeping = _OF_NNX if _is_of_nnx(node) else "_"
        for key, found in vars(node).items():
            if not key.startswith(bookkeeping):
                yield key, found, Place(partial(getattr, node, key), partial(setattr, node, key))
