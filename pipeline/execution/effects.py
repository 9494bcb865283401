"""Which ops change something that others see."""

from __future__ import annotations

from pipeline import graph
from pipeline.execution import registry


def is_write(op: str) -> bool:
    """Whether an op's rule changes variables."""
    rule = registry.find(op)
    return rule is not None and rule.writes


def is_write_without_rule(op: str) -> bool:
    """Whether an op that has no rule changes variables: it is refused, not left out in silence."""
    if registry.find(op) is not None:
        return False
    named = any(word in op for word in ("Apply", "Assign", "Scatter"))
    if not graph.has_op_def(op):
        return named
    definition = graph.op_def(op)
    return any(each.is_ref for each in definition.input_arg) or (named and definition.is_stateful)


def is_on_stacks(op: str) -> bool:
    """Whether an op's rule changes a stack."""
    rule = registry.find(op)
    return rule is not None and rule.stacks
