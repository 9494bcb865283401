"""Where the value of a new variable comes from: drawn, left open, or given.

The same program runs three ways: in a store of its own, where initial values are drawn; abstractly,
to learn which variables it declares; and bound to given values, as a pure function of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pipeline.scopes.errors import ScopeError
from pipeline.scopes.spec import Part, ValueOf, VariableSpec
from pipeline.scopes.store import VariableStore


class Source(Protocol):
    """Gives new variables their value, at the JAX trace they shall live at."""

    @property
    def trace(self) -> Any | None:
        """The trace to create variables at; None for whichever is current."""

    def value(self, store: VariableStore, spec: VariableSpec) -> Array:
        """The first value of the variable that `spec` declares."""


@dataclass(frozen=True)
class Drawn:
    """Initial values, from the store's seed and the variable's name."""

    trace: None = None
    parts: dict[Part, Array] = field(default_factory=dict)

    def value(self, store: VariableStore, spec: VariableSpec) -> Array:
        """Drawn with a key of the variable's own; a module's are all drawn together."""
        value = jnp.asarray(self._initial(store, spec))
        if value.shape != spec.shape:
            raise ScopeError(f"{spec.name}: its initializer made {value.shape}, "
                             f"declared is {spec.shape}")
        return value.astype(spec.dtype)

    def _initial(self, store: VariableStore, spec: VariableSpec) -> Any:
        make = spec.initializer
        if isinstance(make, ValueOf):
            return store[make.name].get_value()
        if not isinstance(make, Part):
            assert make is not None
            return make(fold_name(store.seed_key(), spec.name), spec.shape, spec.dtype)
        if make not in self.parts:
            drawn = make.whole.draw(fold_name(store.seed_key(), make.whole.name))
            self.parts.update({Part(make.whole, path): value for path, value in drawn.items()})
        return self.parts.pop(make)


@dataclass(frozen=True)
class Placeholder:
    """Zeros that are traced and never computed: the program is run for its declarations."""

    trace: Any

    def value(self, store: VariableStore, spec: VariableSpec) -> Array:
        """Zeros of the declared shape."""
        return jnp.zeros(spec.shape, spec.dtype)


@dataclass(frozen=True)
class Given:
    """Values by name, as a checkpoint or a training state holds them."""

    trace: Any
    values: Mapping[str, ArrayLike]
    taken: dict[str, Array] = field(default_factory=dict)

    def value(self, store: VariableStore, spec: VariableSpec) -> Array:
        """The given one; raises ScopeError where there is none or it has another shape."""
        if spec.name not in self.values:
            raise ScopeError(f"variable {spec.name} {spec.shape} has no value; given are "
                             f"{', '.join(sorted(self.values)) or 'none'}")
        value = jnp.asarray(self.values[spec.name])
        if value.shape != spec.shape:
            raise ScopeError(f"{spec.name}: given {value.shape}, the model has {spec.shape}")
        self.taken[spec.name] = value
        return value


def fold_name(key: Array, name: str) -> Array:
    """A random key that depends on `key` and the name alone."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    for half in (digest[:4], digest[4:]):
        key = jax.random.fold_in(key, int.from_bytes(half, "little"))
    return key
