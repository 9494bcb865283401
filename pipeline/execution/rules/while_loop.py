"""Loops: written out, scanned or run by XLA, whichever keeps most of what is known.

- A loop that does not run gives what it was given.
- A loop that counts to a known number is a `lax.scan`, which can be differentiated backwards.
- One whose values change their shapes is written out, if it counts to a known number.
- Everything else is a `lax.while_loop`.

What a body passes on unchanged is not carried: shapes that lie there stay known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError, UnknownSize
from pipeline.execution.program import Program, Run
from pipeline.execution.tensor_list import TensorList
from pipeline.execution.values import is_static, to_jax
from pipeline.execution.wires import feed_name

_MAX_COUNTED = 100_000     # iterations that are counted in advance
_MAX_WRITTEN_OUT = 1_000


class _Loop:
    """A loop with its initial values: the first `count` change, the others are only read."""

    def __init__(
        self, run: Run, cond: Program, body: Program, values: Sequence[Any], count: int
    ) -> None:
        self.run, self.cond, self.body, self.values = run, cond, body, list(values)
        fixed = {index for index in range(count) if body.source(index) == index}
        self.carried = [index for index in range(count) if index not in fixed]
        self.count = count

    def merge(self, carry: Sequence[Any]) -> list[Any]:
        """All values, the carried ones taken from `carry`."""
        merged = list(self.values)
        for index, value in zip(self.carried, carry, strict=True):
            merged[index] = value
        return merged

    def step(self, run: Run, carry: Sequence[Any]) -> list[Any]:
        """What the body makes of the carried values."""
        results = self.body.run(run, self.merge(carry))
        return [results[index] for index in self.carried]

    def initial(self) -> list[Any]:
        return [self.values[index] for index in self.carried]

    def trips(self) -> int | None:
        """How often the body runs, if the condition only looks at counters and known values."""
        deltas = {index: self._delta(index) for index in self.carried}
        for index in _inputs_used(self.cond):
            known = deltas[index] is not None if index in deltas else is_static(self.values[index])
            if not known:
                return None
        values = list(self.values)
        for trip in range(_MAX_COUNTED):
            for index, delta in deltas.items():
                if delta is not None:
                    values[index] = np.asarray(self.values[index] + delta * trip)
            (going,) = self.cond.run(self.run, values)
            if not is_static(going):
                return None
            if not going:
                return trip
        return None

    def _delta(self, index: int) -> Any:
        """What the body adds to a known integer each time, or None."""
        start = self.values[index]
        if not is_static(start) or start.dtype.kind not in "iu":
            return None
        steps = {step.node.name: step.node for step in self.body.steps}
        node = steps.get(self.body.outputs[index].node)
        while node is not None and node.op == "Identity":
            node = steps.get(node.inputs[0].node)
        if node is None or node.op not in ("Add", "AddV2"):
            return None
        sides = [_through(steps, ref.node) for ref in node.inputs]
        if feed_name(index) not in sides:
            return None
        other = sides[1 - sides.index(feed_name(index))]
        if other in steps and steps[other].op == "Const":
            return steps[other]["value"]
        outside = {feed_name(place): value for place, value in enumerate(self.values)
                   if place not in self.carried}
        return outside[other] if is_static(outside.get(other)) else None


def run_loop(
    run: Run, cond: Program, body: Program, values: Sequence[Any], count: int
) -> list[Any]:
    """The final values of the first `count` values.

    Raises:
        ExecutionError: values change their shapes and the number of iterations is not known.
    """
    loop = _Loop(run, cond, body, values, count)
    trips = loop.trips()
    if trips == 0 and not any(map(_is_shapeless, loop.initial())):
        return list(values[:count])   # a body may index what is empty now
    try:
        final = _compiled(loop, trips)
    except (TypeError, UnknownSize) as error:
        if trips is None or trips > _MAX_WRITTEN_OUT:
            raise ExecutionError("a value of the loop changes its shape and the loop does not "
                                 f"count to a known number: {error}") from error
        final = loop.initial()
        for _ in range(trips):
            final = loop.step(run, final)
    return loop.merge(final)[:count]


def _compiled(loop: _Loop, trips: int | None) -> list[Any]:
    """The final carried values, by a scan or a while loop of XLA's."""
    run, writes, draws = loop.run, loop.body.writes, loop.body.draws
    key = run.key if run.key is not None or not draws else jax.random.key(0)

    def advance(state: Any) -> Any:
        trip, carry, variables = state
        inner = replace(run, variables={**run.variables, **variables},
                        key=jax.random.fold_in(key, trip) if draws else run.key)
        results = [_strong(value) for value in loop.step(inner, carry)]
        after = {name: _strong(inner.variables[name]) for name in variables}
        return trip + 1, _as_before(results, carry), after

    def going(state: Any) -> Any:
        (result,) = loop.cond.run(run, loop.merge(state[1]))
        return to_jax(result).reshape(())

    variables = {name: to_jax(value) for name, value in run.variables.items()} if writes else {}
    state = (jnp.zeros((), jnp.int32), [_strong(value) for value in loop.initial()], variables)
    state = _with_element_shapes(advance, state)
    if trips is None:
        state = lax.while_loop(going, advance, state)
    else:
        state = lax.scan(lambda state, _: (advance(state), None), state, length=trips)[0]
    run.variables.update(state[2])
    return list(state[1])


def _with_element_shapes(advance: Any, state: Any) -> Any:
    """The state with room in lists whose elements' shape only the body tells."""
    while any(map(_is_shapeless, state[1])):
        after = jax.eval_shape(advance, state)[1]
        filled = [before.like(later) if isinstance(before, TensorList) else before
                  for before, later in zip(state[1], after, strict=True)]
        if all(a is b for a, b in zip(filled, state[1], strict=True)):
            break
        state = (state[0], filled, state[2])
    return state


def _is_shapeless(value: Any) -> bool:
    """Whether it is a list of elements of which nothing said the shape yet."""
    return isinstance(value, TensorList) and value.buffer is None


def _as_before(results: Sequence[Any], carry: Sequence[Any]) -> list[Any]:
    """Results in the dtypes of the carry: a 64-bit constant in a body is narrowed by JAX."""
    return [result if isinstance(result, TensorList) or not hasattr(before, "dtype")
            else result.astype(before.dtype)
            for result, before in zip(results, carry, strict=True)]


def _strong(value: Any) -> Any:
    """A JAX array whose dtype is its own, not a Python number's."""
    if isinstance(value, TensorList) or not hasattr(value, "dtype"):
        return value
    return lax.convert_element_type(to_jax(value), to_jax(value).dtype)


def _inputs_used(program: Program) -> list[int]:
    names = {ref.node for step in program.steps for ref in step.node.inputs}
    names |= {ref.node for ref in program.outputs}
    return [index for index in range(len(program.inputs)) if feed_name(index) in names]


def _through(steps: dict[str, Any], name: str) -> str:
    """The node whose value a chain of identities passes on."""
    while name in steps and steps[name].op == "Identity":
        name = steps[name].inputs[0].node
    return name
