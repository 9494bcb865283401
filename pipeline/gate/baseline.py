"""A baseline: the figures that a run is held against, in a file kept in git.

A drop counts as a failure when it is larger than allowed beyond chance: when the one-sided lower
confidence bound of Welch's t-test for the difference of two means exceeds what is allowed
(B. L. Welch, "The generalization of 'Student's' problem when several different population variances
are involved", Biometrika 34, 1947). With too few seeds on a side for that, the spread is taken from
both sides together (Student's t-test); of one seed on either side there is no spread, and of an
accuracy the binomial error of the test set stands for it. Only what is left, such as a loss with
one seed on either side, cannot be told: the verdict is to investigate.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline import runs
from pipeline.files import write_atomically
from pipeline.gate.errors import GateError
from pipeline.gate.record import Record, find_metric, spread
from pipeline.gate.verdict import Outcome, Verdict

if TYPE_CHECKING:   # run.py imports this room first, and --help waits for it
    from pipeline.config.gate import BaselineConfig

_ACCEPT = "the same command with gate.accept=true writes it from what it judges"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One value a seed for each metric, and what made them."""

    metrics: dict[str, Annotated[list[float], Field(min_length=1)]]
    config_hash: str
    git_revision: str | None
    seeds: list[int] = field(default_factory=list)
    test_examples: int | None = None   # None in a file of before 0.2.0
    schema_version: Literal[1] = 1


def save_baseline(path: Path, records: Sequence[Record], metrics: Sequence[str]) -> None:
    """Makes the given runs, which differ in their seeds, the baseline.

    Raises:
        GateError: a run has no such metric, or it is not finite.
    """
    for name in metrics:
        if not all(map(math.isfinite, _values(records, name))):
            raise GateError(f"gate.accept: {name} is not finite; no baseline was written")
    made = Baseline(
        metrics={name: _values(records, name) for name in metrics},
        config_hash=records[0]["config_hash"],
        git_revision=records[0]["git"]["revision"],
        seeds=[record["seed"] for record in records],
        test_examples=records[0].get("test_examples"),
    )
    write_atomically(path, json.dumps(asdict(made), indent=2) + "\n")


def load_baseline(path: Path) -> Baseline:
    """The figures to hold a run against.

    Raises:
        GateError: the file is missing or not a baseline.
    """
    try:
        baseline: Baseline = runs.read_json(path, Baseline, _ACCEPT)
    except FileNotFoundError:
        raise GateError(f"gate.baseline.file={path}: no such file; {_ACCEPT}") from None
    except runs.RecordError as damage:
        raise GateError(f"gate.baseline.file: not a baseline: {damage}") from None
    return baseline


def judge_baseline(
    records: Sequence[Record], baseline: Baseline, config: BaselineConfig
) -> list[Verdict]:
    """One verdict a metric for runs that differ in their seeds alone."""
    signs = {**dict.fromkeys(config.max_drop, 1), **dict.fromkeys(config.max_rise, -1)}
    allowed = {**config.max_drop, **config.max_rise}
    return [_judge(name, records, baseline, allowed[name], sign, config)
            for name, sign in signs.items()]


def _judge(
    name: str, records: Sequence[Record], baseline: Baseline, allowed: float, sign: int,
    config: BaselineConfig,
) -> Verdict:
    word = "drop" if sign > 0 else "rise"
    gate = f"baseline.max_{word}.{name}"
    before = baseline.metrics.get(name)
    if before is None:
        raise GateError(f"gate.{gate}: {config.file} holds {', '.join(baseline.metrics)}; accept "
                        "the baseline anew to have this metric in it")
    now = _values(records, name)
    worse = sign * (statistics.fmean(before) - statistics.fmean(now))
    examples = records[0].get("test_examples") if name == "test_accuracy" else None
    margin = _margin(now, before, config, examples, baseline.test_examples or examples)
    outcome, why = _outcome(worse, allowed, margin, config.confidence)
    if baseline.config_hash != records[0]["config_hash"]:
        why += "; the baseline is of another configuration"
    return Verdict(gate, outcome, found=describe(now),
                   expected=f"{word} of at most {allowed:g} from {describe(before)}", detail=why)


@dataclass(frozen=True)
class _Margin:
    """How far the difference of the means may be off by chance, one-sided."""

    width: float
    source: str


def _outcome(
    worse: float, allowed: float, margin: _Margin | None, confidence: float
) -> tuple[Outcome, str]:
    if not math.isfinite(worse):
        return Outcome.FAILED, "not finite"
    change = f"worse by {worse:.4g}" if worse > 0 else f"not worse ({-worse:.4g} better)"
    if worse <= allowed:
        return Outcome.PASSED, change
    if margin is None:
        return Outcome.INVESTIGATE, (f"{change}, with 1 seed on either side, which says nothing of "
                                     "chance; repeat with more seeds")
    certain, share = worse - margin.width, f"with {confidence:.0%} confidence"
    if certain > allowed:
        return Outcome.FAILED, f"{change}; {share} by more than {certain:.4g} ({margin.source})"
    return Outcome.INVESTIGATE, (f"{change}, but {share} only by more than {max(certain, 0.0):.4g} "
                                 f"({margin.source}); repeat with more seeds")


def _margin(
    now: Sequence[float], before: Sequence[float], config: BaselineConfig,
    examples: int | None, examples_before: int | None,
) -> _Margin | None:
    """By the spread that is known; of an accuracy of so many examples by their number; or None."""
    sides = (now, before)
    if min(map(len, sides)) >= config.minimum_seeds:
        return _Margin(_welch(now, before, config.confidence), "by the spread of either side")
    degrees = sum(len(side) - 1 for side in sides)
    if degrees:
        return _Margin(_student(sides, degrees, config.confidence),
                       f"by the spread of {degrees + len(sides)} runs")
    if examples and examples_before:
        error = sum(share * (1.0 - share) / count for [share], count in
                    zip(sides, (examples, examples_before), strict=True))
        normal = statistics.NormalDist().inv_cdf(config.confidence)
        return _Margin(normal * math.sqrt(error), f"by the error of {examples:,} test examples")
    return None


def _welch(first: Sequence[float], second: Sequence[float], confidence: float) -> float:
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # late: 0.3 s

    parts = [(statistics.variance(values) / len(values), len(values) - 1)
             for values in (first, second)]
    total = sum(part for part, _ in parts)
    if total == 0.0:
        return 0.0
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    return float(stdtrit(freedom, confidence)) * math.sqrt(total)


def _student(sides: Sequence[Sequence[float]], degrees: int, confidence: float) -> float:
    """Of sides with one variance, which either may have too few values to tell alone."""
    from scipy.special import stdtrit  # late, as above

    squares = sum(sum((value - statistics.fmean(side))**2 for value in side) for side in sides)
    variance = squares / degrees * sum(1 / len(side) for side in sides)
    return float(stdtrit(degrees, confidence)) * math.sqrt(variance)


def describe(values: Sequence[float]) -> str:
    """`0.9811 ± 0.0004 (5 seeds)`; a single value alone."""
    mean, deviation = f"{statistics.fmean(values):.6g}", spread(values)
    return mean if deviation is None else f"{mean} ± {deviation:.2g} ({len(values)} seeds)"


def _values(records: Sequence[Mapping[str, object]], name: str) -> list[float]:
    found = [find_metric(record, name) for record in records]
    if None in found:
        raise GateError(f"gate.baseline: the run has no metric {name}")
    return [value for value in found if value is not None]
