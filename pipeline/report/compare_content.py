"""Exactly what the comparison of two runs shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """One side."""

    name: str                                  # its directory's
    directory: str
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, Any]]       # intervals, as metrics.json keeps them
    environment: Mapping[str, str]             # where it comes from


@dataclass(frozen=True, kw_only=True)
class ComparedVariable:
    """One variable in both runs; a side that does not have it is empty."""

    name: str
    shapes: tuple[str, str]
    norms: tuple[float | None, float | None]   # Euclidean, of the values where they are at hand
    distance: float | None                     # Euclidean, between the two values


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """Two runs side by side."""

    runs: tuple[ComparedRun, ComparedRun]
    settings: Sequence[tuple[str, str, str]]   # dotted key, either's value; only what differs
    variables: Sequence[ComparedVariable]

    @property
    def metrics(self) -> list[str]:
        """All that either run has, in the first one's order."""
        return list(dict.fromkeys(name for run in self.runs for name in run.metrics))
