"""What one branch of a conditional hands to its gradient, and the other does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from pipeline.execution.values import Known, is_static


@jax.tree_util.register_static
class Absent:
    """The value that the branch not taken would have had."""

    def __hash__(self) -> int:
        return hash(Absent)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Absent)


@jax.tree_util.register_pytree_node_class
class Optional:
    """TensorFlow's Optional that holds values; what is known before running stays known in it."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = tuple(Known(value) if is_static(value) else value for value in values)

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """The values are the leaves."""
        return self.values, None

    @classmethod
    def tree_unflatten(cls, static: None, leaves: Sequence[Any]) -> Optional:
        """The inverse of `tree_flatten`."""
        return cls(leaves)

    def get(self) -> list[Any]:
        """The values, as they were put in."""
        return [each.value if isinstance(each, Known) else each for each in self.values]


@jax.tree_util.register_pytree_node_class
class Choice:
    """What one output of a conditional is after each of its branches; one of them was taken.

    The conditional's gradient has as many branches, and each takes what is its own.
    """

    def __init__(self, alternatives: Sequence[Any]) -> None:
        self.alternatives = tuple(alternatives)

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """The alternatives are the leaves."""
        return self.alternatives, None

    @classmethod
    def tree_unflatten(cls, static: None, leaves: Sequence[Any]) -> Choice:
        """The inverse of `tree_flatten`."""
        return cls(leaves)


def choose(branch: int, values: Sequence[Any]) -> list[Any]:
    """The arguments of one branch of a conditional."""
    return [value.alternatives[branch] if isinstance(value, Choice) else value for value in values]


def keep_apart(branch: int, outputs: Sequence[Any], shapes: Sequence[Sequence[Any]]) -> list[Any]:
    """The outputs of a branch; what only gradients look at as a `Choice`, zeros for the others'.

    Args:
        branch: its number.
        outputs: of the branch.
        shapes: the outputs of all branches, as `jax.eval_shape` gives them.
    """
    kept = list(outputs)
    for position, alternatives in enumerate(zip(*shapes, strict=True)):
        if any(isinstance(each, (Absent, Optional, Choice)) for each in alternatives):
            kept[position] = Choice([
                outputs[position] if place == branch else jax.tree.map(_zeros, each)
                for place, each in enumerate(alternatives)])
    return kept


def _zeros(like: Any) -> Any:
    return jnp.zeros(like.shape, like.dtype)
