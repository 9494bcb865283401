"""flax nnx modules as functions of their variables, with the names of their attributes as scopes.

nnx opens no name scopes itself (Linen, Haiku and Equinox users pass `apply` or the module as the
function and its tree of parameters as the variables).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax


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
        with module_scopes(merged):
            return (method or type(merged).__call__)(merged, *inputs)

    return function, {name: value(leaf) for name, (_, leaf) in leaves.items()}


@contextmanager
def module_scopes(module: Any) -> Iterator[None]:
    """Within, each call of a module in `module` lies in a name scope called as its attribute is.

    Classes are changed while it lasts, so that it is not for several threads at once.
    """
    from flax import nnx

    parts = list(nnx.iter_modules(module))
    paths = {id(part): "/".join(map(str, path)) for path, part in parts}
    kept = {kind: kind.__dict__["__call__"] for _, part in parts
            for kind in type(part).__mro__ if "__call__" in kind.__dict__}
    current = [""]

    def scoped(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
            path = paths.get(id(self), "")
            outer = current[-1]
            name = path[len(outer) + 1:] if outer and path.startswith(f"{outer}/") else path
            if not name or path == outer:
                return call(self, *args, **kwargs)
            current.append(path)
            try:
                with jax.named_scope(name):
                    return call(self, *args, **kwargs)
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

