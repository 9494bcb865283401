"""What must be known before running, and which steps are computed while tracing for that."""

from __future__ import annotations

from collections.abc import Sequence, Set

from pipeline.execution.program import Program, Step
from pipeline.graph import Ref

_OF_SHAPES = ("Shape", "ShapeN", "Size", "Rank")    # known whatever they are computed from


def demanded_tensors(steps: Sequence[Step]) -> set[Ref]:
    """The tensors that must be known before running, back to where they come from."""
    found: set[Ref] = set()
    wanted_of: set[str] = set()
    for step in reversed(steps):
        refs = step.node.inputs
        wanted = list(refs) if step.node.name in wanted_of and step.rule.folds else [
            refs[position] for position in step.static if -len(refs) <= position < len(refs)]
        if step.writes:   # a branch that assigns is run or not; it cannot be selected afterwards
            wanted += [condition.predicate for condition in step.conditions]
        found.update(wanted)
        wanted_of.update(ref.node for ref in wanted)
    return found


def early_steps(steps: Sequence[Step], demanded: Set[Ref]) -> set[str]:
    """The names of the steps whose results are demanded and follow from constants and shapes.

    Args:
        steps: in order.
        demanded: tensors that must be known.
    """
    known: set[str] = set()
    for step in steps:
        constant = step.node.op in ("Const", *_OF_SHAPES)
        if constant or (step.node.inputs and _is_pure(step)
                        and all(ref.node in known for ref in step.node.inputs)):
            known.add(step.node.name)
    wanted = {ref.node for ref in demanded}
    for step in reversed(steps):
        if step.node.name in wanted & known and step.node.op not in _OF_SHAPES:
            wanted.update(ref.node for ref in step.node.inputs)
    return wanted & known


def _is_pure(step: Step) -> bool:
    """Whether a step gives the same result whenever it takes the same."""
    rule = step.rule
    if rule.writes or rule.variable or rule.stacks or step.conditions or "seed2" in rule.attrs:
        return False
    return all(map(_is_pure_program, step.parts)) if step.parts else not rule.takes_run


def _is_pure_program(program: Program) -> bool:
    return not (program.writes or program.draws or program.variables or program.stacks)
