"""Carries runs out, one after the other, and keeps how each one ended."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline import gate
from pipeline.clock import Clock
from pipeline.context import Context
from pipeline.gate import Ending, ExitCode
from pipeline.runs import RecordError
from pipeline.sweep import outcome, stopping, study
from pipeline.sweep.outcome import Outcome
from pipeline.sweep.process import Ended, Job, Run, Stopped

log = logging.getLogger(__name__)

_ASKED_TO_STOP = (ExitCode.RESUMABLE, ExitCode.INTERRUPTED)


def perform(runs: Sequence[Run]) -> float:
    """A job's runs, now or, where they are to be trained with other jobs', later.

    Returns:
        What an optimizing sweeper is told: the mean of `sweep.metric` over the seeds; NaN when a
        run came to nothing, or is still to come.

    Raises:
        Stopped: as `one_by_one`.
    """
    first = runs[0]
    process = first.job.process
    if first.is_alone:
        process.ended.append(_alone(first))
        return math.nan
    if first.job.number is None:
        process.sweep = first.job.directory
    if first.config.sweep.strategy == "vmap":
        process.deferred.extend(runs)
        return math.nan
    try:
        return _objective(one_by_one(runs), runs)
    except Stopped as stopped:
        _leave(first.job, stopped)
    return math.nan


def _leave(job: Job, stopped: Stopped) -> None:
    """Ends the sweep from within a job, in whichever process.

    Raises:
        Stopped: in the process that was started. A worker must return, or its launcher gives up
            the jobs beside it; asked to stop, it speaks for itself alone, as when a cluster wants
            one machine back.
    """
    if job.process.launched:
        raise stopped
    if stopped.exit_code is not ExitCode.RESUMABLE:
        stopping.ask(job.directory.parent, stopped.exit_code)


def end_without_runs(job: Job, ending: Ending, on_failure: str | None) -> float:
    """A job that only looked, or could not begin; in a sweep the latter leaves its error.

    Raises:
        Stopped: the process was asked to stop, or the sweep stops at failures.
    """
    failed = job.number is not None and ending.exit_code is not ExitCode.PASSED
    if job.number is None:
        job.process.ended.append(ending.exit_code)
    elif failed:
        outcome.save(Outcome(ending, job.number, None, job.overrides), job.directory)
    if ending.exit_code in _ASKED_TO_STOP or (failed and on_failure == "stop"):
        _leave(job, Stopped(ending.exit_code))
    return math.nan


def _alone(run: Run) -> ExitCode:
    """A run that is not one of several: it tells GitHub and the trend by itself."""
    ended = _run(run)
    if ended.ending.exit_code is ExitCode.RESUMABLE:
        log.info("resume with the same command and hydra.run.dir=%s restore=auto", run.directory)
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
    outcomes = []
    for run in runs:
        ended = finished(run)
        if ended is None:
            log.info("%s: begins", outcome.name_of_run(
                run.job.number, run.job.overrides, run.config.seed))
            ended = _run(run)
        outcomes.append(ended)
        stop_if_wanted(run, ended)
    return outcomes


def _run(run: Run) -> Outcome:
    context = context_of(run, run.job.process.take_clock())
    return conduct(run, partial(run.task.run, run.config, context), context.clock)


def context_of(run: Run, clock: Clock) -> Context:
    """What the task is told besides its options."""
    return Context(run.directory, run.name, run.job.process.command,
                   [*study.observers(run), *stopping.observers(run)], clock)


def finished(run: Run) -> Outcome | None:
    """How a run ended that need not be done again; None for the others."""
    ended = outcome.load_sound(run.directory)
    if ended is None or not ended.is_finished:
        return None
    try:
        gate.load_record(run.directory)
        gate.load_verdicts(run.directory)
    except (RecordError, gate.GateError) as damage:
        log.warning("%s; the run is gone on with", damage)
        return None
    log.info("%s: finished before; skipped", ended.name)
    return ended


def conduct(run: Run, work: Callable[[], Ended], clock: Clock) -> Outcome:
    """Never raises; how the run, which began with `clock`, ended is in its directory."""
    (run.directory / outcome.FILE_NAME).unlink(missing_ok=True)   # of an attempt before
    ending = gate.attempt(lambda: work().exit_code)
    ending = replace(ending, started=clock.started, seconds=clock.seconds)
    ended = Outcome(ending, run.job.number, run.config.seed, run.job.overrides)
    outcome.save(ended, run.directory)
    return ended


def stop_if_wanted(run: Run, ended: Outcome) -> None:
    """Raises Stopped when the sweep is to end with this run."""
    code = ended.ending.exit_code
    failed = not ended.is_finished and run.config.sweep.on_failure == "stop"
    if code in _ASKED_TO_STOP or failed:
        raise Stopped(code)
    if run.job.process.asked_to_stop:
        raise Stopped(ExitCode.RESUMABLE)


def _objective(outcomes: Sequence[Outcome], runs: Sequence[Run]) -> float:
    if not all(ended.is_finished for ended in outcomes):
        return math.nan
    metric = runs[0].config.sweep.metric
    values = [gate.find_metric(gate.load_record(run.directory), metric) for run in runs]
    return statistics.fmean(value if value is not None else math.nan for value in values)
