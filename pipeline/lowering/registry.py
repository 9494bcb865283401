"""Which function makes the nodes of which primitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pipeline.lowering.builder import Builder, Operand
    from pipeline.lowering.ir import Equation

Rule: TypeAlias = "Callable[[Builder, Equation], Operand | Sequence[Operand]]"

RULES: dict[str, Rule] = {}


def rule(*primitives: str) -> Callable[[Rule], Rule]:
    """Registers a function for primitives; a second rule for the same one is refused."""
    def register(function: Rule) -> Rule:
        for primitive in primitives:
            if primitive in RULES:
                raise ValueError(f"primitive {primitive} is already lowered by {RULES[primitive]}")
            RULES[primitive] = function
        return function
    return register
