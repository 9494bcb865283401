"""Exactly what a sweep's page and table show."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.gate import Point, Verdict


@dataclass(frozen=True, kw_only=True)
class SweepRun:
    """One run of a sweep: one job with one seed."""

    number: int | None                         # of its job
    seed: int | None                           # None when its configuration could not be read
    directory: str                             # from the sweep's, with slashes
    overrides: Mapping[str, str]               # what it was told, the seed left out
    exit_code: int
    ending: str                                # the same in words
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    verdicts: Sequence[Verdict] = ()           # of its own gates
    history: Sequence[Mapping[str, Any]] = ()  # intervals, as metrics.json keeps them
    has_begun_only: bool = False               # and did not end: it was killed, or waits

    @property
    def has_failed(self) -> bool:
        """Whether it came to nothing; a gate that failed is no such failure."""
        return not self.is_finished and not self.is_unfinished

    @property
    def is_finished(self) -> bool:
        """Whether it was done to its end, and has a record."""
        return self.exit_code in (0, 3)

    @property
    def is_unfinished(self) -> bool:
        """Whether it was stopped, asked or killed, and can go on."""
        return self.has_begun_only or self.exit_code in (75, 130)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Runs that differ in their seeds alone."""

    overrides: Mapping[str, str]
    runs: Sequence[SweepRun]
    metric: str

    def values(self, metric: str) -> list[float]:
        """One value for each run that has it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    def mean(self, metric: str) -> float | None:
        """Over the seeds; NaN when any run's is not finite, None when no run has the metric."""
        values = self.values(metric)
        return statistics.fmean(values) if values else None

    def deviation(self, metric: str) -> float | None:
        """The sample standard deviation over the seeds; None for fewer than two."""
        values = self.values(metric)
        several = len(values) > 1 and all(map(math.isfinite, values))
        return statistics.stdev(values) if several else None

    @property
    def score(self) -> float | None:
        """What it is ranked by."""
        return self.mean(self.metric)

    @property
    def is_ranked(self) -> bool:
        """Whether there is a finite figure to rank it by."""
        return self.score is not None and math.isfinite(self.score)


@dataclass(frozen=True, kw_only=True)
class SweepReport:
    """A sweep, its settings best first; those without a finite figure come last."""

    name: str                                  # its directory's
    started: datetime
    seconds: float                             # from the first run's beginning to the last end
    command: str
    metric: str                                # that ranks
    direction: str                             # max or min
    settings: Sequence[Setting]
    varied: Mapping[str, Sequence[str]]        # key → its values, in the order they first occur
    metrics: Sequence[str]                     # worth a column, the ranking one first
    exit_code: int
    ending: str
    environment: Mapping[str, str] = field(default_factory=dict)
    verdicts: Sequence[Verdict] = ()
    trend: Sequence[Point] = ()
    note: str = ""                             # what the ranking lacks
    planned: int | None = None                 # runs in all; None where that is not known

    @property
    def runs(self) -> list[SweepRun]:
        """All of them, best setting first."""
        return [run for setting in self.settings for run in setting.runs]

    @property
    def tally(self) -> str:
        """How many runs there are, and how many of those planned have ended."""
        planned = len(self.runs) if self.planned is None else self.planned
        word = "run" if planned == 1 else "runs"
        text = f"{planned} {word}"
        if self.planned is not None and self.ended != planned:
            text = f"{self.ended} of {planned} planned {word} ended"
        text += f", {len(self.failures)} failed"
        return f"{text}, {len(self.unfinished)} unfinished" if self.unfinished else text

    @property
    def ended(self) -> int:
        """Runs of which nothing remains to be done, whatever came of them."""
        return len(self.runs) - len(self.unfinished)

    @property
    def titles(self) -> dict[str, str]:
        """What was varied, each by the fewest of its last names that tell it from the others."""
        return {key: _shortest(key, self.varied) for key in self.varied}

    @property
    def failures(self) -> list[SweepRun]:
        """The runs that came to nothing, by job and seed."""
        return _in_order(run for run in self.runs if run.has_failed)

    @property
    def unfinished(self) -> list[SweepRun]:
        """The runs that were stopped, by job and seed."""
        return _in_order(run for run in self.runs if run.is_unfinished)

    @property
    def errors(self) -> list[list[SweepRun]]:
        """The failures and what is unfinished, those that say the same together."""
        found: dict[tuple[str, str], list[SweepRun]] = {}
        for run in [*self.failures, *self.unfinished]:
            found.setdefault((run.ending, run.error), []).append(run)
        return list(found.values())

    @property
    def best(self) -> Setting | None:
        """The first of the ranking; None when nothing could be ranked."""
        return self.settings[0] if self.settings and self.settings[0].is_ranked else None


def _in_order(runs: Iterable[SweepRun]) -> list[SweepRun]:
    return sorted(runs, key=lambda run: (run.number or 0, run.seed or 0))


def _shortest(key: str, keys: Iterable[str]) -> str:
    parts = key.split(".")
    for count in range(1, len(parts)):
        title = ".".join(parts[-count:])
        if not any(other != key and f".{other}".endswith(f".{title}") for other in keys):
            return title
    return key
