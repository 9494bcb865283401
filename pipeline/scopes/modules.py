"""Any flax nnx module inside a scope: its variables are the store's, named by attribute path."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, lru_cache
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.extend.core import take_current_trace

from pipeline.scopes.errors import ScopeError
from pipeline.scopes.getting import get_or_create
from pipeline.scopes.names import join
from pipeline.scopes.opening import name_scope
from pipeline.scopes.scope import current_name_scope, get_variable_scope
from pipeline.scopes.sources import fold_name
from pipeline.scopes.spec import Part, Whole
from pipeline.scopes.transform import next_key

Build: TypeAlias = Callable[[nnx.Rngs], nnx.Module]


def get_module(build: Build, training: bool = False) -> Any:
    """A module whose variables are made or found in the open scope, as its `reuse` says.

    The variable at `self.blocks[0].fc.kernel` is `scope/blocks/0/fc/kernel`, and operations are
    named by the same paths. An `nnx.Param` is trainable; batch statistics and the like are not, and
    what the module assigns to them it assigns to the store's variables. The scope's regularizer
    applies to parameters of two or more axes; its initializer and dtype do not apply.

    Args:
        build: makes the module; what it draws depends on the store's seed and the scope's name.
        training: `module.train()` or else `module.eval()`; while training, the module's random
            streams begin from `next_key`.

    Raises:
        ScopeError: as `get_variable` does; a variable that is no single array; no key for a module
            that needs random numbers.
    """
    graphdef, abstract = nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(0))))
    leaves = nnx.to_flat_state(abstract)
    draws = training and any(isinstance(leaf, nnx.RngKey) for _, leaf in leaves)
    key = next_key() if draws else None
    whole = Whole(get_variable_scope().name, _draw(build))
    found = [(path, _found(whole, "/".join(map(str, path)), leaf, key)) for path, leaf in leaves]
    module = nnx.merge(graphdef, nnx.from_flat_state(found), recreate_variables=False)
    if training:
        module.train()
    else:
        module.eval()
    _name_operations(module)
    return module


@lru_cache(maxsize=16)
def _draw(build: Build) -> Callable[[Array], dict[str, Array]]:
    """What draws all initial values of a module, by path; compiled, and kept for the next time."""

    def draw(key: Array) -> dict[str, Array]:
        leaves = nnx.to_flat_state(nnx.state(build(nnx.Rngs(key))))
        return {"/".join(map(str, path)): leaf.get_value() for path, leaf in leaves
                if not isinstance(leaf, nnx.RngState)}

    return jax.jit(draw)


def _found(whole: Whole, path: str, leaf: Any, key: Array | None) -> Any:
    """The variable to stand at a path: the store's, or a random stream's own."""
    value = leaf.get_value()
    if isinstance(leaf, nnx.RngState):
        return leaf.replace(_stream(path, value, key))
    if value is None:
        return leaf
    name = join(whole.name, path)
    if not hasattr(value, "dtype"):
        raise ScopeError(f"{name}: the module keeps a {type(value).__name__} in this variable; "
                         "only single arrays can be saved and exported")
    scope = get_variable_scope()
    return get_or_create(
        name, value.shape, np.dtype(value.dtype), Part(whole, path),
        regularizer=scope.regularizer if isinstance(leaf, nnx.Param) and value.ndim > 1 else None,
        trainable=isinstance(leaf, nnx.Param), reuse=scope.reuse, like=leaf,
    )


def _stream(path: str, value: Any, key: Array | None) -> Any:
    """The state of a random stream; a constant one, which leaves no trace, if nothing is drawn."""
    with nullcontext() if key is not None else take_current_trace():
        if not jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            return jnp.zeros(value.shape, value.dtype)
        fresh = _unused_key() if key is None else fold_name(key, path)
        return jax.random.split(fresh, value.shape) if value.shape else fresh


@cache
def _unused_key() -> Array:
    return jax.random.key(0)


def _name_operations(module: Any) -> None:
    """Lets every submodule open the name scope of its path when it is called.

    flax nnx opens none. The instances are ours, freshly merged, so their classes may change.
    """
    base = current_name_scope()
    for path, part in list(nnx.iter_modules(module)):
        scope = join(base, "/".join(map(str, path)))
        if callable(part) and scope:
            kind: Any = type(part)
            part.__class__ = _naming(kind)
            part.name_scope_of_operations = f"{scope}/"


@cache
def _naming(kind: Any) -> Any:
    """The same class, except that calling an instance opens its name scope."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with name_scope(self.name_scope_of_operations):
            return kind.__call__(self, *args, **kwargs)

    named = {"__call__": call, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind)(kind.__name__, (kind,), named)
