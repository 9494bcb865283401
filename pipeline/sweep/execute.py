"""Carries runs out: one after the other, or those that differ only in numbers together."""

from __future__ import annotations

import json
import logging
import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import gate
from pipeline.config import Config
from pipeline.gate import Ending, ExitCode
from pipeline.sweep import outcome
from pipeline.sweep.begun import Stopped, begun
from pipeline.sweep.job import Job, Run
from pipeline.sweep.outcome import Outcome

if TYPE_CHECKING:   # this imports JAX, which a sweep's first process may never need
    from pipeline.closing import RunResult

log = logging.getLogger(__name__)

_ASKED_TO_STOP = (ExitCode.RESUMABLE, ExitCode.INTERRUPTED)
# Of a configuration, what training does not see: runs that differ in it can be trained together.
_UNSEEN = ("gate", "sweep", "notes", "seed", "persistence", "verification")


def perform(runs: Sequence[Run]) -> float:
    """A job's runs, now or, where they are to be trained with other jobs', later.

    Returns:
        What an optimizing sweeper is told: the mean of `sweep.metric` over the seeds; NaN when a
        run came to nothing, or is still to come.

    Raises:
        Stopped: as `one_by_one`.
    """
    first = runs[0]
    if first.is_alone:
        begun.ended.append(_alone(first))
        return math.nan
    if first.job.number is None:
        begun.sweep = first.job.directory
    if first.config.sweep.strategy == "vmap":
        begun.deferred.extend(runs)
        return math.nan
    return _objective(one_by_one(runs), runs)


def end_without_runs(job: Job, ending: Ending) -> float:
    """A job that only looked, or could not begin; in a sweep the latter leaves its error.

    Raises:
        Stopped: the process was asked to stop.
    """
    if job.number is None:
        begun.ended.append(ending.exit_code)
    elif ending.exit_code is not ExitCode.PASSED:
        outcome.save(Outcome(ending, job.number, None, job.overrides), job.directory)
    if ending.exit_code in _ASKED_TO_STOP:
        raise Stopped(ending.exit_code)
    return math.nan


def _alone(run: Run) -> ExitCode:
    """A run that is not one of several: it tells GitHub and the trend by itself."""
    from pipeline import stages

    ended = _conduct(run, partial(stages.run, run.config, run.directory))
    verdicts = gate.load_verdicts(run.directory)
    gate.announce(gate.markdown(run.directory.name, verdicts, ended.ending),
                  gate.workflow_commands(run.directory.name, verdicts, ended.ending))
    if run.config.gate.trend is not None and ended.ending.exit_code not in _ASKED_TO_STOP:
        records = [gate.load_record(run.directory)] if ended.is_finished else []
        gate.append_to_trend(Path(run.config.gate.trend), gate.trend_point(
            run.directory.name, ended.ending.started, ended.ending.exit_code, records))
    return ended.ending.exit_code


def one_by_one(runs: Sequence[Run]) -> list[Outcome]:
    """Each run after the other; those that ended before are skipped.

    Raises:
        Stopped: the process was asked to stop, or a run failed and the sweep stops at failures.
    """
    from pipeline import stages

    outcomes = []
    for run in runs:
        outcomes.append(
            _finished(run) or _conduct(run, partial(stages.run, run.config, run.directory))
        )
        _stop_if_wanted(run.config, outcomes[-1])
    return outcomes


def train_deferred(runs: Sequence[Run], directory: Path) -> None:
    """Runs of the same shape as one program each; those that ended before are skipped.

    Args:
        runs: all jobs' of a sweep.
        directory: the sweep's, for its log.

    Raises:
        Stopped: as `one_by_one`.
    """
    _log_to(directory)
    waiting = sorted((run for run in runs if not _finished(run)), key=_shape)
    groups = [list(group) for _, group in groupby(waiting, key=_shape)]
    log.info("%d runs in %d programs", len(waiting), len(groups))
    for group in groups:
        if len(group) > 1:
            _train_together(group)
        else:
            one_by_one(group)


def _log_to(directory: Path) -> None:
    """As conf/hydra/job_logging does for a job: Hydra's logging ended with its last one."""
    file = logging.FileHandler(directory / "run.log")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, format="%(message)s", force=True,
                        handlers=[logging.StreamHandler(sys.stderr), file])
    logging.getLogger("pipeline").setLevel(logging.INFO)


def _train_together(runs: Sequence[Run]) -> None:
    from pipeline import stages

    deliveries: list[Callable[[], Any]] = []

    def train() -> None:
        deliveries.extend(stages.train_together([(run.config, run.directory) for run in runs]))

    training = gate.attempt(train)
    for k, run in enumerate(runs):
        if deliveries:
            ended = _conduct(run, deliveries[k])
        else:
            ended = Outcome(training, run.job.number, run.config.seed, run.job.overrides)
            outcome.save(ended, run.directory)
        _stop_if_wanted(run.config, ended)


def _shape(run: Run) -> str:
    """Equal for runs that one program can train: what is left when its numbers are taken out."""
    from pipeline import train

    config = {k: v for k, v in asdict(run.config).items() if k not in _UNSEEN}
    for name in train.TRACEABLE:
        _blank(config, name.split("."))
    _blank_scales(config["model"])
    return json.dumps(config, sort_keys=True)


def _blank(config: Any, path: Sequence[str]) -> None:
    """Puts a sign in a number's place; whether there is a number at all still counts."""
    *parents, last = path
    for part in parents:
        config = config.get(part) or {}
    if config.get(last) is not None:
        config[last] = "number"


def _blank_scales(config: Any) -> None:
    """The same for the scale of every regularizer, however deep."""
    if isinstance(config, dict):
        if config.get("kind") in ("l1", "l2") and "scale" in config:
            config["scale"] = "number"
        for value in config.values():
            _blank_scales(value)


def _finished(run: Run) -> Outcome | None:
    ended = outcome.load(run.directory)
    if ended is None or not ended.is_finished:
        return None
    log.info("%s: finished before; skipped", ended.name)
    return ended


def _conduct(run: Run, stages_of_it: Callable[[], RunResult]) -> Outcome:
    """Never raises; how the run ended is in its directory."""
    (run.directory / outcome.FILE_NAME).unlink(missing_ok=True)   # of an attempt before
    ending = gate.attempt(lambda: stages_of_it().exit_code)
    ended = Outcome(ending, run.job.number, run.config.seed, run.job.overrides)
    outcome.save(ended, run.directory)
    return ended


def _stop_if_wanted(config: Config, ended: Outcome) -> None:
    code = ended.ending.exit_code
    failed = not ended.is_finished and config.sweep.on_failure == "stop"
    if code in _ASKED_TO_STOP or failed:
        raise Stopped(code)


def _objective(outcomes: Sequence[Outcome], runs: Sequence[Run]) -> float:
    if not all(ended.is_finished for ended in outcomes):
        return math.nan
    metric = runs[0].config.sweep.metric
    values = [gate.find_metric(gate.load_record(run.directory), metric) for run in runs]
    return statistics.fmean(value if value is not None else math.nan for value in values)
