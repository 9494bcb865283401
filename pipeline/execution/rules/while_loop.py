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
from typing import Any

from pipeline.execution.errors import UnknownValue
from pipeline.execution.program import Program, Run
from pipeline.execution.rules.counting import RunningLoop
from pipeline.execution.rules.scanning import compiled, starts_shapeless

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
        if trips is None or trips > _MAX_WRITTEN_OUT:
            raise UnknownValue("a value of the loop changes its shape and the loop does not "
                               f"count to a known number: {error}") from error
        final = loop.initial()
        for _ in range(trips):
            final = loop.step(run, final)
    return loop.merge(final)[:count]
