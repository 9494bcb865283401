"""Other people's modules as functions of their variables, their attributes' names as name scopes.

Linen and Haiku open name scopes themselves. nnx opens none, and Equinox those of its classes. None
of the libraries is imported here unless the module is one of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax

from pipeline.lowering.errors import LoweringError
from pipeline.lowering.jaxpr import path_parts

Function = Callable[..., Any]


def library(model: Any) -> str:
    """`nnx`, `linen` or `equinox` if the model is a module of that library, else empty."""
    homes = {"flax.nnx": "nnx", "flax.linen": "linen", "equinox": "equinox"}
    for kind in type(model).__mro__:
        if kind.__name__ == "Module":
            found = [name for home, name in homes.items() if kind.__module__.startswith(home)]
            if found:
                return found[0]
    return ""


def as_function(
    model: Any, variables: Any, inputs: Mapping[str, jax.ShapeDtypeStruct]
) -> tuple[Function, Any]:
    """What `freeze` is given as `function(variables, *inputs)`, and the variables.

    Raises:
        LoweringError: a module that keeps no variables comes without them, or one that keeps them
            comes with others.
    """
    kind = library(model)
    if kind in ("nnx", "equinox") and variables is not None:
        raise LoweringError(f"{type(model).__name__} brings its own variables; leave them out, or "
                            "give a function of them in place of the module")
    if kind == "nnx":
        return from_nnx(model)
    if kind == "equinox":
        return _from_equinox(inputs), model
    if kind == "linen":
        if variables is None:
            raise LoweringError(f"{type(model).__name__} keeps no variables itself; give those "
                                "that its `init` makes")
        return _from_linen(model, variables)
    if variables is None:
        @functools.wraps(model)
        def of_inputs(_: Any, *arrays: Any) -> Any:
            return model(*arrays)

        return of_inputs, ()
    return _with_equinox_scopes(model), variables


def _from_linen(module: Any, variables: Mapping[str, Any]) -> tuple[Function, Any]:
    """Whole paths, `params/head/kernel`: those that a Saver gives the same variables."""
    from flax.traverse_util import flatten_dict, unflatten_dict

    flat = flatten_dict(variables)
    module = module.clone(name="~")    # the root's scope is then no part of a name, see `sanitise`
    named = {"/".join(path): (path, leaf) for path, leaf in flat.items()}

    def function(arrays: dict[str, Any], *inputs: Any) -> Any:
        return module.apply(
            unflatten_dict({named[name][0]: array for name, array in arrays.items()}), *inputs)

    return function, {name: leaf for name, (_, leaf) in named.items()}


def _from_equinox(inputs: Mapping[str, jax.ShapeDtypeStruct]) -> Function:
    """A module of Equinox takes one example: it is mapped over the batch."""
    def function(module: Any, *arrays: Any) -> Any:
        axes = tuple(0 if spec.shape[:1] == (None,) else None for spec in inputs.values())
        return jax.vmap(module, in_axes=axes)(*arrays) if 0 in axes else module(*arrays)

    return _with_equinox_scopes(function)


def _with_equinox_scopes(function: Function) -> Function:
    """The modules of Equinox among its variables get scopes."""
    @functools.wraps(function)
    def scoped(variables: Any, *inputs: Any) -> Any:
        with _scopes(list(_equinox_modules(variables, ()))):
            return function(variables, *inputs)

    return scoped


def _equinox_modules(tree: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each module, outer ones first, with its path."""
    if library(tree) == "equinox":
        yield path, tree
    rows, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda part: part is not tree)
    for keys, part in rows:
        if keys:
            yield from _equinox_modules(part, (*path, *path_parts(keys)))


def from_nnx(
    module: Any, method: Callable[..., Any] | None = None
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A module as `freeze` takes functions.

    Args:
        module: in the state it is to be exported in: call its `eval()` first. One made by
            `nnx.eval_shape` gives shapes in place of values.
        method: what to run of it; its `__call__` when not given.

    Returns:
        `function(variables, *inputs)` and the variables by path, such as `encoder/fc1/kernel`.
        Random state is none of them.
    """
    from flax import nnx

    graph, variables, rest = nnx.split(module, nnx.Not(nnx.RngState), ...)
    leaves = {"/".join(map(str, path)): (path, leaf)
              for path, leaf in nnx.to_flat_state(variables)}

    def value(leaf: Any) -> Any:
        return leaf.get_value() if isinstance(leaf, nnx.Variable) else leaf

    def fresh(leaf: Any, array: Any) -> Any:
        # a Variable of another trace cannot be changed in this one
        return leaf.replace(array) if isinstance(leaf, nnx.Variable) else array

    def function(arrays: dict[str, Any], *inputs: Any) -> Any:
        state = {path: fresh(leaf, arrays[name]) for name, (path, leaf) in leaves.items()}
        state |= {path: fresh(leaf, value(leaf)) for path, leaf in nnx.to_flat_state(rest)}
        merged = nnx.merge(graph, nnx.from_flat_state(state))
        with _scopes(nnx.iter_modules(merged)):
            return (method or type(merged).__call__)(merged, *inputs)

    return function, {name: value(leaf) for name, (_, leaf) in leaves.items()}


@contextmanager
def _scopes(modules: Iterable[tuple[Any, Any]]) -> Iterator[None]:
    """Within, each call of one of the modules lies in a name scope called as its path is.

    Classes are changed while it lasts, so that it is not for several threads at once.
    """
    parts = list(modules)
    paths = {id(part): "/".join(map(str, path)) for path, part in parts}
    kept = {kind: kind.__dict__["__call__"] for _, part in parts
            for kind in type(part).__mro__ if "__call__" in kind.__dict__}
    current = [""]

    def scoped(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
            path = paths.get(id(self), "")
            bound = call.__get__(self, type(self))    # Equinox's are descriptors, not functions
            outer = current[-1]
            name = path[len(outer) + 1:] if outer and path.startswith(f"{outer}/") else path
            if not name or path == outer:
                return bound(*args, **kwargs)
            current.append(path)
            try:
                with jax.named_scope(name):
                    return bound(*args, **kwargs)
            finally:
                current.pop()
        return wrapped

    for kind, call in kept.items():
        setattr(kind, "__call__", scoped(call))  # noqa: B010
    try:
        yield
    finally:
        for kind, call in kept.items():
            setattr(kind, "__call__", call)  # noqa: B010

