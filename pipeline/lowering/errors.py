"""What cannot be lowered, said once for the whole function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.errors import PipelineError


class Gap(NamedTuple):
    """One equation that has no lowering."""

    primitive: str
    reason: str    # empty: there is no rule at all
    source: str    # file:line (function)


class LoweringError(PipelineError):
    """A function, a name or a shape that cannot become a graph; `gaps` lists the equations."""

    gaps: tuple[Gap, ...] = ()


class Unsupported(Exception):
    """Raised by a rule for parameters it does not cover; the caller adds primitive and source."""


def report(gaps: Iterable[Gap]) -> LoweringError:
    """One error for all gaps, each kind with its count and the first lines it came from."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        kinds.setdefault((gap.primitive, gap.reason), []).append(gap.source)
    lines = []
    for (primitive, reason), sources in sorted(kinds.items()):
        count = f" ({len(sources)}×)" if len(sources) > 1 else ""
        places = ", ".join(dict.fromkeys(sources))
        lines.append(f"  {primitive}{count}: {reason or 'no lowering rule'}; at {places}")
    error = LoweringError("no TensorFlow graph for these primitives; rewrite the lines named, or "
                          "export the part before them:\n" + "\n".join(lines))
    error.gaps = tuple(gaps)
    return error
