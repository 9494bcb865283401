"""Loops compiled by XLA: a scan where the number of rounds is known, else a while loop.

The state that goes around is the number of the round, the loop's values, the graph's variables and
the stacks. A stack that grows or shrinks in every round does not go around: what a round pushes is
an output of the scan, and what it pops an input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.rules.counting import RunningLoop
from pipeline.execution.stack import Rounds, Stack
from pipeline.execution.tensor_list import TensorList
from pipeline.execution.values import to_jax

Place = tuple[str, Any]     # of a stack: ("carry", position) or ("stacks", name)


class _State(NamedTuple):
    """What goes around; of `carry`, positions that hold moving stacks are None."""

    trip: Any
    carry: list[Any]
    variables: dict[str, Any]
    stacks: dict[str, Stack]


def compiled(loop: RunningLoop, trips: int | None) -> list[Any]:
    """The final carried values; variables and stacks are changed in the loop's run.

    Args:
        loop: with its initial values.
        trips: how often it runs, if that is known.

    Raises:
        TypeError: a value changes its shape.
        UnknownValue: something must be known that changes from round to round.
    """
    run, writes = loop.run, loop.body.writes
    variables = {name: to_jax(value) for name, value in run.variables.items()} if writes else {}
    stacks = run.stacks if loop.body.stacks else {}
    state = _State(jnp.zeros((), jnp.int32), [_strong(value) for value in loop.initial()],
                   variables, dict(stacks))
    state = _with_element_shapes(loop, state)
    if trips is not None:
        state = _scan(loop, state, trips)
    elif stacks or any(isinstance(value, Stack) for value in state.carry):
        raise UnknownValue("a loop pushes to or pops from a list and does not count to a known "
                           "number")
    elif run.backwards:
        raise UnknownValue("how often a loop runs must be known for derivatives backwards")
    else:
        state = lax.while_loop(lambda state: _going(loop, state),
                               lambda state: _advance(loop, state), state)
    run.variables.update(state.variables)
    run.stacks.update(state.stacks)
    return loop.counted(list(state.carry), trips)


def _scan(loop: RunningLoop, state: _State, trips: int) -> _State:
    """The state after all rounds; stacks that move are the scan's inputs and outputs."""
    moved = _moved(loop, state)
    state, kept = _without(state, moved), _stacks(state)
    popped = {}
    for place, change in moved.items():
        if change < 0:
            kept[place], popped[place] = kept[place].split(trips, -change)

    def advance(state: _State, popped: Mapping[Place, Any]) -> tuple[_State, Mapping[Place, Any]]:
        inside = {place: kept[place].with_parts(popped.get(place, ()), above=True)
                  for place in moved}
        after = _advance(loop, _with(state, inside))
        left = {place: _stacks(after)[place].parts for place in moved}
        if any(left[place] for place in popped):
            raise UnknownValue("a round of a loop pops less than the one before")
        return _without(after, moved), {place: parts for place, parts in left.items()
                                        if place not in popped}

    state, pushed = lax.scan(advance, state, popped, length=trips)
    final = {place: kept[place] if place in popped else kept[place].with_parts(
        (*kept[place].parts, Rounds(pushed[place], trips)), above=kept[place].above)
        for place in moved}
    return _with(state, final)


def _moved(loop: RunningLoop, state: _State) -> dict[Place, int]:
    """By how many values each stack grows in a round; those that stay as they are are left out."""
    if not _stacks(state):
        return {}
    found: dict[Place, int] = {}

    def look(state: _State) -> None:
        before, after = _stacks(state), _stacks(_advance(loop, state))
        found.update({place: _height(after[place]) - _height(before[place])
                      for place in before if after.get(place) is not before[place]})

    jax.eval_shape(look, state)
    return {place: change for place, change in found.items() if change}


def _height(stack: Stack) -> int:
    return stack.with_parts(stack.parts).size


def _advance(loop: RunningLoop, state: _State) -> _State:
    """The state after one more round."""
    run, draws = loop.run, loop.body.draws
    key = run.key if run.key is not None or not draws else jax.random.key(0)
    inner = replace(run, variables={**run.variables, **state.variables},
                    stacks={**run.stacks, **state.stacks}, in_scan=True, decisions=None,
                    key=jax.random.fold_in(key, state.trip) if draws else run.key)
    results = [_strong(value) for value in loop.step(inner, state.carry)]
    return _State(state.trip + 1, _as_before(results, state.carry),
                  {name: _strong(inner.variables[name]) for name in state.variables},
                  {name: inner.stacks[name] for name in state.stacks})


def _going(loop: RunningLoop, state: _State) -> Any:
    run = replace(loop.run, in_scan=True, decisions=None)
    (result,) = loop.cond.run(run, loop.merge(state.carry))
    return to_jax(result).reshape(())


def _stacks(state: _State) -> dict[Place, Stack]:
    carried = {("carry", place): value for place, value in enumerate(state.carry)
               if isinstance(value, Stack)}
    return {**carried, **{("stacks", name): stack for name, stack in state.stacks.items()}}


def _with(state: _State, stacks: Mapping[Place, Stack]) -> _State:
    carry = [stacks.get(("carry", place), value) for place, value in enumerate(state.carry)]
    named = {name: stack for (kind, name), stack in stacks.items() if kind == "stacks"}
    return state._replace(carry=carry, stacks={**state.stacks, **named})


def _without(state: _State, places: Mapping[Place, Any]) -> _State:
    carry = [None if ("carry", place) in places else value
             for place, value in enumerate(state.carry)]
    return state._replace(carry=carry, stacks={
        name: stack for name, stack in state.stacks.items() if ("stacks", name) not in places})


def _with_element_shapes(loop: RunningLoop, state: _State) -> _State:
    """The state with room in lists whose elements' shape only the body tells."""
    while any(map(_is_shapeless, state.carry)) or _may_become_lists(loop, state):
        after = jax.eval_shape(lambda state: _advance(loop, state), state).carry
        filled = [_like(before, later) for before, later in zip(state.carry, after, strict=True)]
        if all(a is b for a, b in zip(filled, state.carry, strict=True)):
            break
        state = state._replace(carry=filled)
    return state


def _may_become_lists(loop: RunningLoop, state: _State) -> bool:
    """Whether gradients by a list's elements are added up, from a scalar that stands for zeros."""
    return loop.body.has("TensorArrayGradV3") and any(
        getattr(value, "shape", None) == () and not isinstance(value, TensorList)
        for value in state.carry)


def _like(before: Any, later: Any) -> Any:
    if isinstance(before, TensorList):
        return before.like(later)
    if isinstance(later, TensorList) and getattr(before, "shape", None) == ():
        return TensorList(None, later.size, later.dtype, sums=True).like(later)
    return before


def _is_shapeless(value: Any) -> bool:
    """Whether it is a list of elements of which nothing said the shape yet."""
    return isinstance(value, TensorList) and value.buffer is None


def _as_before(results: Sequence[Any], carry: Sequence[Any]) -> list[Any]:
    """Results in the dtypes of the carry: a 64-bit constant in a body is narrowed by JAX."""
    return [result.astype(before.dtype)
            if isinstance(result, jax.Array) and isinstance(before, jax.Array) else result
            for result, before in zip(results, carry, strict=True)]


def _strong(value: Any) -> Any:
    """A JAX array whose dtype is its own, not a Python number's."""
    if isinstance(value, (TensorList, Stack)) or not hasattr(value, "dtype"):
        return value
    return lax.convert_element_type(to_jax(value), to_jax(value).dtype)


def starts_shapeless(loop: RunningLoop) -> bool:
    """Whether a list among the initial values has elements of unknown shape."""
    return any(map(_is_shapeless, loop.initial()))


def count_rounds(loop: RunningLoop) -> Any:
    """How often a loop runs, computed by a loop of what decides it; None if it can't be."""
    deciding = loop.only_what_decides()
    if deciding is None:
        return None
    state = _State(jnp.zeros((), jnp.int32), [_strong(value) for value in deciding.initial()],
                   {}, {})
    try:
        state = _with_element_shapes(deciding, state)
        return lax.while_loop(lambda state: _going(deciding, state),
                              lambda state: _advance(deciding, state), state).trip
    except (TypeError, ExecutionError):
        return None
