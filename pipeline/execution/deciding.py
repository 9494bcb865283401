"""What has to be known before a step is run: operands that shape, and which branch is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.liveness import Conditions
from pipeline.execution.registry import Node
from pipeline.execution.values import DEAD, is_static
from pipeline.graph import Ref


class DeadOutputs(Sequence[Any]):
    """As many dead outputs as anybody asks for."""

    def __getitem__(self, index: Any) -> Any:
        return DEAD

    def __len__(self) -> int:
        return 0


class Decisions:
    """What an evaluation asks for that only running tells, in the order in which it asks.

    Args:
        granted: the answers to take for granted; without them values are looked at.

    Attributes:
        answers: what was told so far.
        asked: the values that were asked for, as they came.
    """

    def __init__(self, granted: Sequence[np.ndarray[Any, Any]] | None = None) -> None:
        self._granted = granted
        self.answers: list[np.ndarray[Any, Any]] = []
        self.asked: list[Any] = []

    def know(self, value: Any, error: UnknownValue) -> np.ndarray[Any, Any]:
        """The value, known; `error` is what stands in the way otherwise.

        Raises:
            UnknownValue: the error, where the value stands for one of a compiled function.
        """
        if self._granted is None:
            try:
                found = np.asarray(jax.lax.stop_gradient(value))
            except jax.errors.TracerArrayConversionError:
                raise error from None
        elif len(self.asked) < len(self._granted):
            found = self._granted[len(self.asked)]
        else:
            raise error
        self.asked.append(value)
        self.answers.append(found)
        return found

    def know_all(self, values: Sequence[Any], error: UnknownValue) -> list[Any]:
        """The values with those at the error's positions known."""
        return [self.know(value, error) if index in error.positions and not is_static(value)
                else value for index, value in enumerate(values)]


def settled(
    node: Node, positions: Sequence[int], arguments: list[Any], decisions: Decisions | None
) -> list[Any]:
    """The arguments, those known that must be.

    Raises:
        UnknownValue: an argument at one of the positions is computed from what is fed.
    """
    count = len(arguments)
    unknown = tuple(position % count for position in positions
                    if -count <= position < count and not is_static(arguments[position]))
    if not unknown:
        return arguments
    ref = str(node.inputs[unknown[0]])
    which = f"argument {unknown[0]}" if ref.startswith("\0") else f"input {ref}"
    error = UnknownValue(
        f"{node.op} node {node.name!r} needs {which} before running, "
        "but it is computed from what is fed; fix what it depends on with `given`", unknown)
    if decisions is None:
        raise error
    return decisions.know_all(arguments, error)


def decided(
    node: Node, predicates: Mapping[Ref, Any], decisions: Decisions | None
) -> Mapping[Ref, Any]:
    """The predicates that say whether an assignment takes place, known.

    Raises:
        UnknownValue: a predicate is computed from what is fed.
    """
    found = {}
    for predicate, value in predicates.items():
        if not is_static(value):
            error = UnknownValue(
                f"{node.op} node {node.name!r} assigns in a branch whose predicate "
                f"{predicate} is computed from what is fed; fix it with `given`")
            if decisions is None:
                raise error
            value = decisions.know(value, error)
        found[predicate] = value
    return found


def is_dead(conditions: Conditions, predicates: Mapping[Ref, Any]) -> bool:
    """Whether a node lies on a branch that is known not to be taken.

    Raises:
        ExecutionError: a predicate is not a scalar.
    """
    for predicate, side in conditions:
        if predicate not in predicates:
            continue
        value = predicates[predicate]
        if value is DEAD:
            return True
        if np.size(value) != 1:
            raise ExecutionError(f"predicate {predicate} has shape {np.shape(value)}; "
                                 "expected a scalar")
        if is_static(value) and bool(value) is not side:
            return True
    return False
