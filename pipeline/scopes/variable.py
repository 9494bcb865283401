"""The variables themselves: flax nnx variables that know their TensorFlow name.

Their types tell nnx filters what they are: trainable ones are `nnx.Param`; those of a module keep
the module's types.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from flax.errors import TraceContextError
from jax import Array
from jax.typing import ArrayLike

from pipeline.scopes.errors import ScopeError
from pipeline.scopes.spec import VariableSpec


class NamedVariable:
    """What all variables of a store share; compared by identity, as in TF1."""

    __slots__ = ()

    @property
    def spec(self) -> VariableSpec:
        """Its declaration."""
        spec: VariableSpec = self.get_metadata("spec")  # type: ignore[attr-defined]
        return spec

    @property
    def name(self) -> str:
        """The name of its tensor: `layer1/weights:0`."""
        return f"{self.spec.name}:0"

    @property
    def op_name(self) -> str:
        """The name of its operation, its key in a checkpoint: `layer1/weights`."""
        return self.spec.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its value; a store that was stacked over has one axis more than declared."""
        return tuple(self.read().shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of its value."""
        return np.dtype(self.read().dtype)

    @property
    def trainable(self) -> bool:
        """Whether optimizers change it."""
        return self.spec.trainable

    def read(self) -> Array:
        """Its value now."""
        value: Array = self.get_value()  # type: ignore[attr-defined]
        return value

    def assign(self, value: ArrayLike) -> Array:
        """Replaces the value and returns it.

        Raises:
            ScopeError: the shape is another, or the variable lives outside the function that is
                being traced, whose values may not leave it.
        """
        new = jnp.asarray(value, self.dtype)
        if new.shape != self.shape:
            raise ScopeError(f"{self.op_name}: assigned a value of shape {new.shape}, "
                             f"the variable has {self.shape}")
        self.set_value(new)
        return new

    def assign_add(self, delta: ArrayLike) -> Array:
        """Adds to the value; raises as `assign` does."""
        return self.assign(self.read() + delta)

    def assign_sub(self, delta: ArrayLike) -> Array:
        """Subtracts from the value; raises as `assign` does."""
        return self.assign(self.read() - delta)

    def set_value(self, value: Any, **index: Any) -> None:
        """What nnx calls for `variable[...] = value`."""
        try:
            super().set_value(value, **index)  # type: ignore[misc]
        except TraceContextError:
            raise ScopeError(
                f"{self.op_name}: assigned inside a transformed function (jit, grad, scan, …) that "
                "does not own it, so a traced value would leak out; return the value and assign it "
                "outside, or use scopes.transform, whose `apply` returns the updates"
            ) from None

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<Variable '{self.name}' shape={self.shape} dtype={self.dtype}>"

    __str__ = __repr__


class TrainableVariable(NamedVariable, nnx.Param):  # type: ignore[misc]
    """A variable that optimizers change."""


class UntrainableVariable(NamedVariable, nnx.Variable):  # type: ignore[misc]
    """A variable that only assignments change: moving averages, counters."""


def new_variable(value: Array, spec: VariableSpec, index: int, like: Any = None) -> Any:
    """A variable with its declaration.

    Args:
        value: the first one.
        spec: the declaration.
        index: how many variables its store held before.
        like: an nnx variable whose type and metadata it takes besides.
    """
    if like is None:
        ours = TrainableVariable if spec.trainable else UntrainableVariable
        return ours(value, spec=spec, index=index)
    metadata = like.get_metadata() | {"spec": spec, "index": index}
    kind: Any = type(like)
    return _named(kind).from_metadata(value, metadata)


@cache
def _named(kind: Any) -> Any:
    """The named form of an nnx type that a module uses: `BatchStat`, `Cache`, …"""
    return type(kind.__name__, (NamedVariable, kind), {"__module__": kind.__module__})
