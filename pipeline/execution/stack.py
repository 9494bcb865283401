"""Stacks: what a loop pushes for its gradient, and the gradient's loop pops.

    Stack(item, item, Rounds([item, item], count), …)

A scanned loop knows what one round pushes; `Rounds` holds that for all rounds at once, each array
with an axis for the rounds in front. Loops within loops push `Rounds` of `Rounds`. Values that are
known before running stay known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.tensor_list import TensorList
from pipeline.execution.values import Known, is_static, to_jax

_SUMS = ("Add", "AddV2", "AddN")
LIST_OPS = (*_SUMS, "ZerosLike")    # what a gradient does to lists as well


@jax.tree_util.register_pytree_node_class
class Rounds:
    """What each of `count` rounds pushed: `parts` as in a stack; arrays may have room for more."""

    def __init__(self, parts: Sequence[Any], count: int) -> None:
        self.parts, self.count = tuple(parts), count

    def tree_flatten(self) -> tuple[tuple[Any, ...], int]:
        """The parts are the leaves."""
        return self.parts, self.count

    @classmethod
    def tree_unflatten(cls, count: int, parts: Sequence[Any]) -> Rounds:
        """The inverse of `tree_flatten`."""
        return cls(parts, count)

    def last(self) -> tuple[Any, ...]:
        """The parts that the last round pushed."""
        return tuple(jax.tree.map(lambda array: array[self.count - 1], self.parts))

    def backwards(self, rounds: int) -> tuple[Any, ...]:
        """The parts of the last rounds, the last of them first."""
        return tuple(jax.tree.map(
            lambda array: jnp.flip(array[self.count - rounds:self.count], 0), self.parts))


@jax.tree_util.register_pytree_node_class
class Stack:
    """Values in the order they were pushed in; never changed in place.

    Attributes:
        parts: values, known ones as `Known`, and `Rounds`.
        dtype: of the elements; None where they are not arrays.
        shape: of an element, where the graph says it.
        above: whether more lies below, which only a scanned loop's other rounds see.
    """

    def __init__(
        self, parts: Sequence[Any], dtype: Any, shape: tuple[int, ...] | None = None, *,
        above: bool = False,
    ) -> None:
        self.parts, self.dtype, self.shape, self.above = tuple(parts), dtype, shape, above

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[Any, Any, bool]]:
        """The parts are the leaves."""
        return self.parts, (self.dtype, self.shape, self.above)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, Any, bool], parts: Sequence[Any]) -> Stack:
        """The inverse of `tree_flatten`."""
        dtype, shape, above = static
        return cls(parts, dtype, shape, above=above)

    def with_parts(self, parts: Sequence[Any], *, above: bool = False) -> Stack:
        """A stack of the same kind that holds something else."""
        return Stack(parts, self.dtype, self.shape, above=above)

    @property
    def size(self) -> int:
        """How many values there are.

        Raises:
            UnknownValue: what lies below is not known here.
        """
        self._check_whole("counted")
        return _size(self.parts)

    def push(self, value: Any) -> Stack:
        """The stack with another value on top."""
        part = Known(value) if is_static(value) else value
        return self.with_parts((*self.parts, part), above=self.above)

    def pop(self) -> tuple[Stack, Any]:
        """The stack without its top, and the top.

        Raises:
            ExecutionError: it is empty.
        """
        parts = self.parts
        while parts and isinstance(parts[-1], Rounds):
            rounds = parts[-1]
            rest = (Rounds(rounds.parts, rounds.count - 1),) if rounds.count > 1 else ()
            parts = (*parts[:-1], *rest, *rounds.last())
        if not parts:
            self._check_whole("popped")
            raise ExecutionError("Trying to pop from an empty list")
        top = parts[-1].value if isinstance(parts[-1], Known) else parts[-1]
        return self.with_parts(parts[:-1], above=self.above), top

    def split(self, rounds: int, popped: int) -> tuple[Stack, tuple[Any, ...]]:
        """The stack without what some rounds pop, and that, for the first of the rounds in front.

        Args:
            rounds: how many.
            popped: the number of values that each of them pops.

        Raises:
            UnknownValue: the rounds pop values of different shapes.
        """
        top = self.parts[-1] if self.parts else None
        if isinstance(top, Rounds) and top.count >= rounds and _size(top.parts) == popped:
            rest = (Rounds(top.parts, top.count - rounds),) if top.count > rounds else ()
            return (self.with_parts((*self.parts[:-1], *rest), above=self.above),
                    top.backwards(rounds))
        if _size(self.parts) < rounds * popped:
            raise UnknownValue("a round of a loop pops more than the one before")
        stack, groups = self, []
        for _ in range(rounds):
            group: list[Any] = []
            for _ in range(popped):
                stack, value = stack.pop()
                group.append(Known(value) if is_static(value) else value)
            groups.append(group[::-1])
        return stack, tuple(map(_column, zip(*groups, strict=True)))

    def element_shape(self) -> tuple[int, ...] | None:
        """The shape of an element, if something says it."""
        if self.shape is None and self.parts:
            return tuple(self.pop()[1].shape)
        return self.shape

    def as_list(self, shape: tuple[int | None, ...] | None = None) -> TensorList:
        """The elements as a list; `shape` is theirs where there are none."""
        if not self.size:
            return TensorList.zeros(self.shape or shape, 0, self.dtype)
        return TensorList(self.stacked(), self.size, self.dtype)

    def stacked(self) -> Any:
        """All values in one array, [size, *shape of a value].

        Raises:
            ExecutionError: there are none, or they differ in shape.
        """
        self._check_whole("read")
        if not self.parts and self.shape is not None:
            return jnp.zeros((0, *self.shape), self.dtype)
        if not self.parts:
            raise ExecutionError("a list is read whose elements were never written and have no "
                                 "known shape")
        if len(self.parts) == 1 and isinstance(self.parts[0], Rounds):
            (rounds,) = self.parts
            if len(rounds.parts) == 1 and isinstance(rounds.parts[0], jax.Array):
                return rounds.parts[0][:rounds.count]
        stack, values = self, []
        for _ in range(self.size):
            stack, value = stack.pop()
            values.append(to_jax(value))
        if len({value.shape for value in values}) > 1:
            shapes = sorted({value.shape for value in values})
            raise ExecutionError(f"a list of elements of different shapes is read: {shapes}")
        return jnp.stack(values[::-1])

    def _check_whole(self, what: str) -> None:
        if self.above:
            raise UnknownValue(f"a list that grows in each round of a loop is {what} there")


def add_lists(values: Sequence[Any]) -> TensorList:
    """Gradients by the elements of one list added up; a scalar among them stands for zeros.

    Raises:
        ExecutionError: the lists have elements of different shapes.
    """
    lists = [value for value in values if isinstance(value, TensorList)]
    size = max(each.size for each in lists)
    written = [each.resized(size) for each in lists if each.buffer is not None]
    if len({each.element_shape() for each in written}) > 1:
        raise ExecutionError("adds lists of elements of shapes "
                             f"{sorted({each.element_shape() or () for each in written})}")
    if not written:
        return lists[0].resized(size)
    return written[0].with_buffer(sum(each.buffer for each in written))


def compute_lists(op: str, arguments: Sequence[Any]) -> Any:
    """What an op for arrays gives where some arguments are lists; None where it takes none."""
    if not any(isinstance(value, (TensorList, Stack)) for value in arguments):
        return None
    lists = [value.as_list() if isinstance(value, Stack) else value for value in arguments]
    return add_lists(lists) if op in _SUMS else jax.tree.map(jnp.zeros_like, lists[0])


def _size(parts: Sequence[Any]) -> int:
    return sum(part.count * _size(part.parts) if isinstance(part, Rounds) else 1 for part in parts)


def _column(values: Sequence[Any]) -> Any:
    """The values that the rounds see at one place: one known value, or arrays in one."""
    if all(isinstance(each, Known) and each == values[0] for each in values):
        return values[0]
    arrays = [to_jax(each.value) if isinstance(each, Known) else each for each in values]
    if len({jax.tree.structure(each) for each in arrays}) > 1 \
            or len({tuple(leaf.shape for leaf in jax.tree.leaves(each)) for each in arrays}) > 1:
        raise UnknownValue("the rounds of a loop pop values of different shapes")
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays)
