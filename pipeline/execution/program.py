"""A list of steps: what of a graph some outputs need, in order, each with its rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import numpy as np

from pipeline.budget import MemoryBudgetError
from pipeline.execution import folding
from pipeline.execution.custom_gradients import bar
from pipeline.execution.deciding import DeadOutputs, Decisions, decided, is_dead, settled
from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.liveness import Conditions
from pipeline.execution.loops import LOOP
from pipeline.execution.registry import Node, Rule
from pipeline.execution.stack import LIST_OPS, Stack, compute_lists
from pipeline.execution.values import Handle, is_static, is_wide
from pipeline.execution.widening import declared, widens
from pipeline.execution.wires import feed_name
from pipeline.graph import CONTROL, Ref

CALLS = ("PartitionedCall", "StatefulPartitionedCall", "RemoteCall")
LOOPS = ("While", "StatelessWhile", LOOP)
Values = dict[str, Sequence[Any]]


@dataclass(frozen=True)
class Step:
    """A node with its rule, when it is alive, and whether its result must be known to others.

    One that does not fold is computed `early`, while tracing, where all that it takes is known.
    """

    node: Node
    rule: Rule
    conditions: Conditions
    demanded: bool = False
    early: bool = False

    @property
    def parts(self) -> list[Program]:
        """The programs that the node runs: branches, bodies, functions."""
        listed = [each for value in self.node.attrs.values()
                  for each in (value if isinstance(value, list) else [value])]
        return [each for each in listed if isinstance(each, Program)]

    @property
    def writes(self) -> bool:
        """Whether it assigns to variables, itself or in a program that it runs."""
        return self.rule.writes or any(part.writes for part in self.parts)

    @property
    def static(self) -> tuple[int, ...]:
        """Positions of the inputs that must be known before running."""
        if self.node.op in CALLS:
            return tuple(sorted(index for part in self.parts for index in part.static_inputs))
        return self.rule.static


@dataclass
class Run:
    """One evaluation: what rules that take more than their inputs look at.

    Attributes:
        constants: lifted constants by node name.
        variables: by name; rules that assign replace the entry.
        key: a JAX random key, or None to draw from the nodes' own seeds.
        call: what runs a called function where only shapes are wanted; None runs it.
        made: bytes of all that the steps gave so far; what is fused or dropped again counts too.
        stacks: what TF1's stacks hold, by the name in their handle; replaced as variables are.
        decisions: what was known or is asked for while running; None where nothing can be.
        backwards: whether derivatives are being taken, for which a loop's rounds must be known.
        in_scan: whether this evaluates one round that stands for all rounds of a loop.
    """

    constants: Mapping[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    call: Callable[[Program, Run, Sequence[Any]], list[Any]] | None = None
    made: list[int] = field(default_factory=lambda: [0])
    stacks: dict[str, Stack] = field(default_factory=dict)
    decisions: Decisions | None = None
    backwards: bool = False
    in_scan: bool = False

    def read(self, handle: Handle) -> Any:
        """What a variable holds.

        Raises:
            ExecutionError: nothing, because it was neither restored nor initialized.
        """
        if handle.name not in self.variables:
            raise ExecutionError(f"Attempting to use uninitialized value {handle.name}")
        return self.variables[handle.name]


@dataclass(frozen=True, eq=False)
class Program:
    """Steps that compute `outputs` from `inputs`.

    Attributes:
        inputs: tensors given from outside.
        outputs: tensors wanted, of the feeds where an output is fed; `CONTROL` ones give None.
        steps: in an order that has inputs first.
        constants: large constants by node name; a `Run` may give others in their place.
        static_inputs: positions of the inputs that must be known before running.
    """

    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    steps: tuple[Step, ...]
    constants: dict[str, np.ndarray[Any, Any]]
    static_inputs: frozenset[int]

    def run(self, run: Run, inputs: Sequence[Any]) -> list[Any]:
        """The values of `outputs`.

        Raises:
            ExecutionError: a rule cannot compute with the shapes and values it got.
        """
        if len(inputs) != len(self.inputs):
            raise ExecutionError(f"{len(inputs)} arguments for a function of {len(self.inputs)}")
        values: Values = {feed_name(index): (value,) for index, value in enumerate(inputs)}
        with np.errstate(all="ignore"):
            for step in self.steps:
                values[step.node.name] = _evaluate(step, run, values)
        found = [None if ref.output == CONTROL else _output(ref, values) for ref in self.outputs]
        return [run.read(value) if isinstance(value, Handle) and value.is_ref else value
                for value in found]

    @cached_property
    def size(self) -> int:
        """Steps, those of the programs within counted each time they are used."""
        return sum(1 + sum(part.size for part in step.parts) for step in self.steps)

    @cached_property
    def depth(self) -> int:
        """How deep programs lie within it; 0 where there are none."""
        return max((1 + part.depth for step in self.steps for part in step.parts), default=0)

    def look_within(self) -> None:
        """Finds out what is remembered of it; programs within first, so that nothing nests."""
        for each in (self.size, self.depth, self.variables, self.writes, self.draws, self.widens,
                     self.keeps):
            del each

    @cached_property
    def keeps(self) -> bool:
        """Whether it keeps values for its gradient, which another branch need not have."""
        return any(step.node.op in _OPTIONALS or any(part.keeps for part in step.parts)
                   for step in self.steps)

    @cached_property
    def variables(self) -> dict[str, Node]:
        """The variables that steps here and within stand for, by name."""
        found = {step.node.name: step.node for step in self.steps if step.rule.variable}
        for step in self.steps:
            for part in step.parts:
                found.update(part.variables)
        return found

    @cached_property
    def writes(self) -> bool:
        """Whether it assigns to variables."""
        return any(step.writes for step in self.steps)

    @cached_property
    def stacks(self) -> bool:
        """Whether it changes stacks."""
        return any(step.rule.stacks or any(part.stacks for part in step.parts)
                   for step in self.steps)

    @cached_property
    def loops(self) -> bool:
        """Whether there is a loop here or within."""
        return any(map(self.has, LOOPS))

    def has(self, op: str) -> bool:
        """Whether a step here or within is of an op."""
        return op in self._ops

    @cached_property
    def _ops(self) -> frozenset[str]:
        within = (part._ops for step in self.steps for part in step.parts)
        return frozenset(step.node.op for step in self.steps).union(*within)

    @cached_property
    def draws(self) -> bool:
        """Whether it draws random numbers that depend on the run."""
        return any("seed2" in step.rule.attrs or any(part.draws for part in step.parts)
                   for step in self.steps)

    @cached_property
    def widens(self) -> bool:
        """Whether integers of 64 bits may outgrow 32 in it though no input does."""
        return any(widens(step.node) or any(part.widens for part in step.parts)
                   for step in self.steps)


_OPTIONALS = ("OptionalFromValue", "OptionalNone", "FakeParam")


def _evaluate(step: Step, run: Run, values: Values) -> Sequence[Any]:
    node, rule = step.node, step.rule
    if step.conditions:
        predicates = {ref: _output(ref, values) for ref, _ in step.conditions
                      if ref.node in values}
        if is_dead(step.conditions, predicates):
            return DeadOutputs()
        if step.writes and is_dead(step.conditions, decided(node, predicates, run.decisions)):
            return DeadOutputs()
    arguments = [_output(ref, values) for ref in node.inputs]
    if not rule.handles:
        arguments = [run.read(value) if isinstance(value, Handle) and value.is_ref else value
                     for value in arguments]
    arguments = settled(node, step.static, arguments, run.decisions)
    if node.op in LIST_OPS and (computed := compute_lists(node.op, arguments)) is not None:
        return (computed,)
    try:
        return _computed(step, run, arguments)
    except UnknownValue as error:
        if run.decisions is None or not error.positions:
            raise
        arguments = run.decisions.know_all(arguments, error)
    return _computed(step, run, arguments)


def _computed(step: Step, run: Run, arguments: list[Any]) -> Sequence[Any]:
    node, rule = step.node, step.rule
    if run.call is not None and not (step.demanded and rule.folds):
        arguments = list(folding.leave_out(node, step.static, arguments))
    elif rule.folds and all(map(is_static, arguments)):
        arguments = list(folding.ask(node, step.static, step.demanded, arguments))
    try:
        with jax.named_scope(node.name.rpartition("/")[0]), folding.early(step.early, arguments):
            result = (rule.function(node, run, *arguments) if rule.takes_run
                      else rule.function(node, *arguments))
        outputs = result if type(result) in (tuple, list) else (result,)
        if step.early:
            outputs = folding.known(outputs, arguments)
        if rule.folds:
            folding.hold(node, outputs)
        run.made[0] += sum(each.nbytes for each in outputs if isinstance(each, jax.Array))
        if node.shapes is not None:
            _check_shapes(node, outputs)
        if node.barred:
            outputs = bar(outputs, arguments, node.barred)
        return declared(node, outputs) if rule.folds or is_wide() else outputs
    except UnknownValue as error:
        raise UnknownValue(_where(node, str(error)), error.positions) from error.__cause__
    except ExecutionError as error:
        raise type(error)(_where(node, str(error))) from error.__cause__
    except MemoryBudgetError:
        raise
    except Exception as error:
        shapes = ", ".join(map(_describe, arguments))
        raise ExecutionError(_where(node, f"{error} (inputs: {shapes or 'none'})")) from error


def _check_shapes(node: Node, outputs: Sequence[Any]) -> None:
    """Raises where the graph declares another shape for an output than it has."""
    for place, (value, wanted) in enumerate(zip(outputs, node.shapes or (), strict=False)):
        found = getattr(value, "shape", None)
        if wanted is not None and isinstance(found, tuple) and (
                len(found) != len(wanted) or any(
                    size is not None and size != each
                    for size, each in zip(wanted, found, strict=True))):
            raise ExecutionError(f"output {place} has shape {found}, inconsistent with the "
                                 f"_output_shapes attribute, which says {wanted}")


def _output(ref: Ref, values: Values) -> Any:
    outputs = values[ref.node]
    if not isinstance(outputs, DeadOutputs) and ref.output >= len(outputs):
        raise ExecutionError(f"output {ref.output} of node {ref.node!r} is asked for; "
                             f"it has {len(outputs)}")
    return outputs[ref.output]


def _where(node: Node, text: str) -> str:
    op = node.op.lstrip("\0")    # the compiler's own ops
    place = f"{op} node {node.name!r}"
    return text if " node '" in text else f"{place}: {text}"


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"{value.dtype}{list(shape)}"
