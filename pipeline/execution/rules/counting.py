"""A loop with its values, and how often it runs if that can be counted in advance."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from pipeline.execution.errors import UnknownValue
from pipeline.execution.program import Program, Run
from pipeline.execution.values import is_static
from pipeline.execution.wires import feed_name

_MAX_COUNTED = 100_000     # iterations that are counted in advance


class RunningLoop:
    """A loop with its initial values: the first `count` change, the others are only read."""

    def __init__(
        self, run: Run, cond: Program, body: Program, values: Sequence[Any], count: int
    ) -> None:
        self.run, self.cond, self.body, self.values = run, cond, body, list(values)
        fixed = {index for index in range(count) if _source(body, index) == index}
        self.carried = [index for index in range(count) if index not in fixed]
        self.places = {index: index for index in self.carried}   # among the body's outputs

    def merge(self, carry: Sequence[Any]) -> list[Any]:
        """All values, the carried ones taken from `carry`."""
        merged = list(self.values)
        for index, value in zip(self.carried, carry, strict=True):
            merged[index] = value
        return merged

    def step(self, run: Run, carry: Sequence[Any]) -> list[Any]:
        """What the body makes of the carried values."""
        results = self.body.run(run, self.merge(carry))
        return [results[self.places[index]] for index in self.carried]

    def initial(self) -> list[Any]:
        """The carried values before the first round."""
        return [self.values[index] for index in self.carried]

    def goes_on(self, carry: Sequence[Any], error: UnknownValue) -> bool:
        """Whether there is another round; asked for where it is not known."""
        (going,) = self.cond.run(self.run, self.merge(carry))
        if not is_static(going) and self.run.decisions is not None:
            going = self.run.decisions.know(going, error)
        return bool(going)

    def only_what_decides(self) -> RunningLoop | None:
        """The loop of the variables that its condition follows from; None where it has effects."""
        if self.body.writes or self.body.stacks or self.cond.writes or self.body.draws:
            return None
        wanted = set(_inputs_used(self.cond))
        deciding = copy(self)
        while True:
            deciding.carried = [index for index in self.carried if index in wanted]
            deciding.body = _only(self.body, deciding.carried)
            grown = wanted | set(_inputs_used(deciding.body))
            if grown == wanted:
                break
            wanted = grown
        deciding.places = {index: place for place, index in enumerate(deciding.carried)}
        deciding.run = replace(self.run, decisions=None, backwards=False)
        return deciding

    def trips(self) -> int | None:
        """How often the body runs, if the condition only looks at counters and known values."""
        deltas = self._deltas
        for index in _inputs_used(self.cond):
            known = deltas[index] is not None if index in deltas else is_static(self.values[index])
            if not known:
                return None
        values, run = list(self.values), replace(self.run, decisions=None)
        for trip in range(_MAX_COUNTED):
            for index, delta in deltas.items():
                if delta is not None:
                    values[index] = np.asarray(self.values[index] + delta * trip)
            (going,) = self.cond.run(run, values)
            if not is_static(going):
                return None
            if not going:
                return trip
        return None

    def counted(self, carry: list[Any], trips: int | None) -> list[Any]:
        """The final carried values, where a counter's is known in its place."""
        if trips is None:
            return carry
        for place, index in enumerate(self.carried):
            if self._deltas[index] is not None:
                start = self.values[index]
                carry[place] = np.asarray(start + self._deltas[index] * trips, start.dtype)
        return carry

    @cached_property
    def _deltas(self) -> dict[int, Any]:
        return {index: self._delta(index) for index in self.carried}

    def _delta(self, index: int) -> Any:
        """What the body adds to a known integer each time, or None."""
        start = self.values[index]
        if not is_static(start) or start.dtype.kind not in "iu":
            return None
        steps = {step.node.name: step.node for step in self.body.steps}
        node = steps.get(_through(steps, self.body.outputs[index].node))
        if node is None or node.op not in ("Add", "AddV2", "Sub"):
            return None
        sides = [_through(steps, ref.node) for ref in node.inputs]
        if feed_name(index) not in sides[:1 if node.op == "Sub" else 2]:
            return None
        other = sides[1 - sides.index(feed_name(index))]
        value = steps[other]["value"] if other in steps and steps[other].op == "Const" else None
        if other not in steps:
            outside = {feed_name(place): value for place, value in enumerate(self.values)
                       if place not in self.carried}
            value = outside.get(other)
        if value is None or not is_static(value):
            return None
        return -value if node.op == "Sub" else value


def _only(program: Program, outputs: Sequence[int]) -> Program:
    """The program of some of its outputs; what only writes is left out."""
    targets = tuple(program.outputs[index] for index in outputs)
    wanted = {ref.node for ref in targets}
    kept = []
    for step in reversed(program.steps):
        if step.node.name in wanted:
            kept.append(step)
            wanted |= {ref.node for ref in step.node.inputs}
            wanted |= {condition.predicate.node for condition in step.conditions}
    return replace(program, outputs=targets, steps=tuple(reversed(kept)))


def _source(program: Program, index: int) -> int | None:
    """The input that output `index` passes on unchanged, if it does."""
    passing = {step.node.name: step.node.inputs[0] for step in program.steps
               if step.node.op == "Identity"}
    ref = program.outputs[index]
    while ref.node in passing:
        ref = passing[ref.node]
    feeds = {feed_name(place): place for place in range(len(program.inputs))}
    return feeds.get(ref.node)


def _inputs_used(program: Program) -> list[int]:
    names = {ref.node for step in program.steps for ref in step.node.inputs}
    names |= {each.predicate.node for step in program.steps for each in step.conditions}
    names |= {ref.node for ref in program.outputs}
    return [index for index in range(len(program.inputs)) if feed_name(index) in names]


def _through(steps: dict[str, Any], name: str) -> str:
    """The node whose value a chain of identities passes on."""
    while name in steps and steps[name].op == "Identity":
        name = steps[name].inputs[0].node
    return name
