"""Which function makes the nodes of which primitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline.lowering.errors import Gap, Unsupported

if TYPE_CHECKING:
    from pipeline.lowering.builder import Builder
    from pipeline.lowering.ir import Equation, Program
    from pipeline.lowering.tensor import Operand

Rule: TypeAlias = "Callable[[Builder, Equation], Operand | Sequence[Operand]]"

RULES: dict[str, Rule] = {}


def register(primitive: Any) -> Callable[[Rule], Rule]:
    """Lowers a primitive of somebody else's: a decorator for its rule.

    The rule is given a builder and an equation, and returns a tensor for each output:

        @lowering.register(my_primitive)
        def _my_primitive(b, e):
            return b.op("Mul", b.operand(e.inputs[0]), np.float32(e.params["factor"]))

    Args:
        primitive: of `jax.extend.core`, or its name.

    Raises:
        ValueError: the primitive has a rule already.
    """
    return rule(primitive if isinstance(primitive, str) else primitive.name)


def rule(*primitives: str) -> Callable[[Rule], Rule]:
    """Registers a function for primitives; a second rule for the same one is refused."""
    def keep(function: Rule) -> Rule:
        for primitive in primitives:
            if primitive in RULES:
                raise ValueError(f"primitive {primitive} is already lowered by {RULES[primitive]}")
            RULES[primitive] = function
        return function
    return keep


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
