"""Runs into settings, settings into a ranking."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from pipeline.config.sweep import SweepConfig
from pipeline.report import Setting, SweepRun

# Worth a column beside the one that ranks, where the runs have them.
_COLUMNS = ("validation_accuracy", "test_accuracy", "test_loss", "step", "durations.train")


def rank(runs: Sequence[SweepRun], config: SweepConfig) -> list[Setting]:
    """The settings, best mean first; those without a finite one last, in their jobs' order."""

    def identity(run: SweepRun) -> str:
        return repr(sorted(run.overrides.items()))

    def order(setting: Setting) -> tuple[bool, float, int]:
        score = setting.score if setting.is_ranked else math.inf
        assert score is not None, "a ranked setting has a score"
        sign = -1.0 if config.direction == "max" else 1.0
        number = setting.runs[0].number or 0
        return (not setting.is_ranked, sign * score if setting.is_ranked else 0.0, number)

    groups = [list(group) for _, group in groupby(sorted(runs, key=identity), key=identity)]
    settings = [
        Setting(overrides=group[0].overrides, metric=config.metric,
                runs=sorted(group, key=lambda run: (run.number or 0, run.seed or 0)))
        for group in groups
    ]
    return sorted(settings, key=order)


def varied(runs: Sequence[SweepRun]) -> dict[str, list[str]]:
    """What differs between the runs, seeds aside: key → its values as they first occur."""
    keys = dict.fromkeys(key for run in runs for key in run.overrides)
    values = {key: list(dict.fromkeys(run.overrides.get(key, "") for run in runs)) for key in keys}
    return {key: found for key, found in values.items() if len(found) > 1}


def columns(runs: Sequence[SweepRun], metric: str) -> list[str]:
    """The metrics to show, the ranking one first; what is the same everywhere says nothing."""
    shown = [metric]
    for name in _COLUMNS:
        values = {run.metrics[name] for run in runs if name in run.metrics}
        if name != metric and values and (len(values) > 1 or name != "step"):
            shown.append(name)
    return shown


def lacking(settings: Sequence[Setting], metric: str) -> str:
    """Why there is no ranking, or it is not of all; empty when all is well."""
    finished = [run for setting in settings for run in setting.runs if run.is_finished]
    if not finished:
        return "no run finished, so there is nothing to rank"
    without = [run for run in finished if metric not in run.metrics]
    if not without:
        return ""
    known: Mapping[str, float] = without[0].metrics
    close = difflib.get_close_matches(metric, known, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
    share = f"{len(without)} of {len(finished)} runs"
    return f"sweep.metric={metric}: {share} have no such metric; {hint}"
