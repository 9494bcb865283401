"""Which function makes the nodes of which primitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from pipeline.lowering.errors import Gap, Unsupported

if TYPE_CHECKING:
    from pipeline.lowering.builder import Builder
    from pipeline.lowering.ir import Equation, Program
    from pipeline.lowering.tensor import Operand

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


def lower_equations(builder: Builder, program: Program) -> None:
    """Nodes for each equation; those that cannot be lowered are noted in `builder.gaps`."""
    for equation in program.equations:
        try:
            _lower(builder, equation)
        except Unsupported as unsupported:
            builder.gaps.append(Gap(equation.primitive, str(unsupported), equation.source()))
            for value in equation.outputs:
                builder.bind_nothing(value)


def _lower(builder: Builder, equation: Equation) -> None:
    if equation.primitive not in RULES:
        raise Unsupported
    builder.enter(equation)
    made = RULES[equation.primitive](builder, equation)
    tensors = made if isinstance(made, list) else [made]
    for value, tensor in zip(equation.outputs, tensors, strict=True):
        builder.bind(value, tensor)
