"""What has to be known before a step is run: operands that shape, and which branch is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.liveness import Conditions
from pipeline.execution.registry import Node
from pipeline.execution.values import DEAD, is_static
from pipeline.graph import Ref


def check_static(node: Node, positions: Sequence[int], arguments: Sequence[Any]) -> None:
    """Raises where an operand that must be known is not.

    Raises:
        UnknownValue: an argument at one of the positions is computed from what is fed.
    """
    for position in positions:
        if -len(arguments) <= position < len(arguments) and not is_static(arguments[position]):
            raise UnknownValue(
                f"{node.op} node {node.name!r} needs input {node.inputs[position]} before running, "
                "but it is computed from what is fed; fix what it depends on with `given`")


def check_decided(node: Node, predicates: Mapping[Ref, Any]) -> None:
    """Raises where it is not known before running whether an assignment takes place.

    Raises:
        UnknownValue: a predicate is computed from what is fed.
    """
    for predicate, value in predicates.items():
        if not is_static(value):
            raise UnknownValue(
                f"{node.op} node {node.name!r} assigns in a branch whose predicate "
                f"{predicate} is computed from what is fed; fix it with `given`")


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
