"""A list of tensors of one shape: what TensorArrays and TensorLists are here."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.values import check_size, entry, is_static, to_jax


@jax.tree_util.register_pytree_node_class
class TensorList:
    """`size` elements; without a buffer as long as nothing says what shape they have.

    Attributes:
        buffer: array [size, *element shape], or None.
        size: how many elements there are.
        dtype: of an element.
        sums: whether what is written is added to what is there: the gradient of a list.
    """

    def __init__(self, buffer: Any, size: int, dtype: Any, *, sums: bool = False) -> None:
        self.buffer, self.size, self.dtype, self.sums = buffer, size, dtype, sums

    def tree_flatten(self) -> tuple[tuple[Any], tuple[int, Any, bool]]:
        """The buffer is the leaf."""
        return (self.buffer,), (self.size, self.dtype, self.sums)

    @classmethod
    def tree_unflatten(cls, static: tuple[int, Any, bool], leaves: tuple[Any]) -> TensorList:
        """The inverse of `tree_flatten`."""
        size, dtype, sums = static
        return cls(leaves[0], size, dtype, sums=sums)

    def with_buffer(self, buffer: Any) -> TensorList:
        """A list of the same kind with other elements."""
        return TensorList(buffer, len(buffer), self.dtype, sums=self.sums)

    def gradient(self) -> TensorList:
        """The list of zeros that gradients by the elements are added up in."""
        buffer = None if self.buffer is None else jnp.zeros_like(self.buffer)
        return TensorList(buffer, self.size, self.dtype, sums=True)

    @classmethod
    def zeros(cls, shape: tuple[int | None, ...] | None, size: int, dtype: Any) -> TensorList:
        """Zeros, or no buffer when a dimension of the elements is not known."""
        if shape is None or None in shape:
            return cls(None, size, dtype)
        return cls(jnp.zeros((size, *shape), dtype), size, dtype)

    def like(self, other: Any) -> TensorList:
        """Itself, or a list of zeros shaped as `other` where it has no buffer yet."""
        if self.buffer is not None or not isinstance(other, TensorList) or other.buffer is None:
            return self
        return self.with_buffer(jnp.zeros(other.buffer.shape, other.buffer.dtype))

    def element_shape(self) -> tuple[int, ...] | None:
        """The shape of an element, if something says it."""
        return None if self.buffer is None else tuple(self.buffer.shape[1:])

    def set(self, index: Any, value: Any, *, grows: bool = False) -> TensorList:
        """The list with another element at a position; one that grows has room for it then.

        Raises:
            ExecutionError: the element has another shape than the others, or a known position lies
                outside of the list.
            UnknownValue: the list grows and the position is not known.
        """
        if grows and not is_static(index):
            raise UnknownValue(f"a list of {self.size} elements grows at a position that is "
                              "computed from what is fed")
        if is_static(index) and not 0 <= index < (math.inf if grows else self.size):
            raise ExecutionError(f"index {int(index)} in a list of {self.size} elements")
        if grows and index >= self.size:
            check_size([int(index) + 1])
            return self.resized(int(index) + 1).set(index, value)
        value, index = to_jax(value), to_jax(index)
        buffer = self.buffer
        if buffer is None:
            buffer = jnp.zeros((self.size, *value.shape), value.dtype)
        if value.shape != buffer.shape[1:]:
            raise ExecutionError(f"element of shape {value.shape} in a list of elements of "
                                 f"shape {buffer.shape[1:]}")
        if self.size:   # JAX refuses even a dropped write into an empty array
            place = buffer.at[index]
            buffer = (place.add if self.sums else place.set)(value, mode="drop")
        return self.with_buffer(buffer)

    def resized(self, size: int) -> TensorList:
        """The list cut, or filled up with zeros."""
        if self.buffer is None:
            return TensorList(None, size, self.dtype, sums=self.sums)
        kept = self.buffer[:size]
        room = jnp.zeros((size - kept.shape[0], *kept.shape[1:]), kept.dtype)
        return self.with_buffer(jnp.concatenate([kept, room]))

    def get(self, index: Any) -> Any:
        """The element at a position.

        Raises:
            ExecutionError: nothing says what shape the elements have.
        """
        return entry(self.stacked(), to_jax(index))

    def stacked(self) -> Any:
        """All elements, [size, *element shape].

        Raises:
            ExecutionError: nothing says what shape the elements have.
        """
        if self.buffer is None:
            raise ExecutionError("a list is read whose elements were never written and have no "
                                 "known shape")
        return self.buffer
