"""The store: variables by name, as a flax nnx module, and which store is the default one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from flax.errors import TraceContextError
from jax import Array
from jax.typing import ArrayLike

from pipeline.scopes.errors import ScopeError, ScopeKeyError
from pipeline.scopes.spec import VariableSpec

_current: ContextVar[VariableStore | None] = ContextVar("store", default=None)
_of_thread = threading.local()


class VariableStore(nnx.Module):  # type: ignore[misc]
    """Variables by name: what a TensorFlow graph holds, as a pytree.

    Every variable's initial value depends on `seed` and on its own name alone.

    Args:
        seed: of all initial values and of `next_key`; None for a store that draws nothing.
    """

    def __init__(self, seed: ArrayLike | None = 0) -> None:
        self.variables = nnx.Dict()
        self.random = None if seed is None else nnx.RngStream(jax.random.key(seed), tag="scopes")

    def seed_key(self) -> Array:
        """The key that initial values are drawn with."""
        assert self.random is not None
        key: Array = self.random.key.get_value()
        return key

    def next_key(self) -> Array:
        """A fresh random key; nnx transformations carry the count along.

        Raises:
            ScopeError: the store lives outside the function that is being traced.
        """
        assert self.random is not None
        try:
            key: Array = self.random()
        except TraceContextError:
            raise ScopeError("random numbers asked for inside a transformed function, of a store "
                             "that lives outside it; use scopes.transform and apply(…, key=…), or "
                             "pass the store through nnx.jit") from None
        return key

    @contextmanager
    def as_default(self) -> Iterator[VariableStore]:
        """Makes it the store that scopes and `get_variable` work on, in this thread or task."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    def __iter__(self) -> Iterator[Any]:
        """The variables, in the order of their creation."""
        found = [vars(self.variables)[name] for name in self.variables]
        return iter(sorted(found, key=lambda variable: int(variable.get_metadata("index"))))

    def __len__(self) -> int:
        return len(self.variables)

    def __contains__(self, name: str) -> bool:
        return _bare(name) in vars(self.variables)

    def __getitem__(self, name: str) -> Any:
        """The variable `layer1/weights` or `layer1/weights:0`.

        Raises:
            ScopeKeyError: there is none.
        """
        if name not in self:
            raise ScopeKeyError(f"variable {name} does not exist; the store holds "
                                f"{', '.join(v.get_metadata('spec').name for v in self) or 'none'}")
        return vars(self.variables)[_bare(name)]

    def get_tensor_by_name(self, name: str) -> Any:
        """The variable whose tensor is called `layer1/weights:0`, as a graph finds it (B22).

        Raises:
            ScopeError: a name without `:0`.
            ScopeKeyError: there is no such variable, or it has no such output.
        """
        operation, colon, output = name.rpartition(":")
        if not colon and name in self:
            raise ScopeError(f"The name '{name}' refers to an Operation, not a Tensor. Tensor "
                             'names must be of the form "<op_name>:<output_index>".')
        if not colon:
            raise ScopeError(f"The name '{name}' looks like an (invalid) Operation name, not a "
                             'Tensor. Tensor names must be of the form "<op_name>:<output_index>".')
        lost = f"The name '{name}' refers to a Tensor which does not exist. The operation, "
        if operation not in self:
            raise ScopeKeyError(f"{lost}'{operation}', does not exist in the graph.")
        if output != "0":
            raise ScopeKeyError(f"{lost}'{operation}', exists but only has 1 outputs.")
        return self[name]

    def values(self) -> dict[str, Array]:
        """All values by name, in the order of creation."""
        return {v.get_metadata("spec").name: v.get_value() for v in self}

    def specs(self) -> dict[str, VariableSpec]:
        """All declarations by name, in the order of creation."""
        return {v.get_metadata("spec").name: v.get_metadata("spec") for v in self}

    def update(self, values: Mapping[str, ArrayLike]) -> None:
        """Assigns values by name, those of a checkpoint for example.

        Raises:
            ScopeError: a name that does not exist, or another shape than the variable's.
        """
        for name, value in values.items():
            variable = self[name]
            if jnp.shape(value) != variable.get_value().shape:
                raise ScopeError(f"{name}: given {jnp.shape(value)}, the variable has "
                                 f"{variable.get_value().shape}")
            variable.set_value(jnp.asarray(value, variable.get_value().dtype))


def current_store() -> VariableStore:
    """The default store: that of the innermost `as_default`, or else one of the thread's own."""
    store = _current.get()
    if store is not None:
        return store
    if not hasattr(_of_thread, "store"):
        _of_thread.store = VariableStore()
    fallback: VariableStore = _of_thread.store
    return fallback


def reset_default_store(seed: int = 0) -> None:
    """Forgets the thread's own default store, as `tf.reset_default_graph` does.

    Raises:
        ScopeError: inside `as_default`, where the thread's own store is not the default one.
    """
    if _current.get() is not None:
        raise ScopeError("reset_default_store inside `as_default`: leave that block first")
    _of_thread.store = VariableStore(seed)


def _bare(name: str) -> str:
    return name.removesuffix(":0")
