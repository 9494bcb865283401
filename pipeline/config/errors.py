"""A configuration that cannot be used, told so that its owner can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipeline.errors import PipelineError


class ConfigError(PipelineError):
    """Names the key, the value found and what was expected."""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest candidate, or what there is to choose from."""
    known = sorted(candidates)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; valid here: {', '.join(known)}" if known else ""
