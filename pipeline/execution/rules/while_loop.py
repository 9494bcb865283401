"""Loops: written out, scanned or run by XLA, whichever keeps most of what is known.

- A loop that does not run gives what it was given.
- A loop that counts to a known number is a `lax.scan`, which can be differentiated backwards.
- One whose values change their shapes, or where something must be known that changes from round to
  round, is written out, if it counts to a known number.
- Everything else is a `lax.while_loop`.

What a body passes on unchanged is not carried: shapes that lie there stay known.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pipeline.execution.errors import UnknownValue
from pipeline.execution.program import Program, Run
from pipeline.execution.rules.counting import RunningLoop
from pipeline.execution.rules.scanning import compiled, count_rounds, starts_shapeless

_MAX_WRITTEN_OUT = 1_000


def run_loop(
    run: Run, cond: Program, body: Program, values: Sequence[Any], count: int
) -> list[Any]:
    """The final values of the first `count` values.

    Raises:
        ExecutionError: values change their shapes and the number of iterations is not known.
    """
    loop = RunningLoop(run, cond, body, values, count)
    trips = loop.trips()
    if trips == 0 and not starts_shapeless(loop):
        return list(values[:count])   # a body may index what is empty now
    try:
        final = compiled(loop, trips)
    except (TypeError, UnknownValue) as error:
        final = _decided(loop, trips, error)
    return loop.merge(final)[:count]


def _decided(loop: RunningLoop, trips: int | None, error: Exception) -> list[Any]:
    """The final carried values, written out or with what only running tells.

    Raises:
        UnknownValue: nothing can be asked for and the number of rounds is not known, or is large.
    """
    decisions = loop.run.decisions
    unknown = UnknownValue("a value of the loop changes its shape, or must be known in each round, "
                           f"and the loop does not count to a known number: {error}")
    if decisions is None and (trips is None or trips > _MAX_WRITTEN_OUT):
        raise unknown from error
    if trips is None and decisions is not None and (count := count_rounds(loop)) is not None:
        trips = int(decisions.know(count, unknown))
        with suppress(TypeError, UnknownValue):
            return compiled(loop, trips)
    final, trip = loop.initial(), 0
    while trip < trips if trips is not None else loop.goes_on(final, unknown):
        final, trip = loop.step(loop.run, final), trip + 1
    return final
