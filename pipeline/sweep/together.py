"""Jobs that differ only in numbers, trained as one compiled program when all of them are known."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import cast

from pipeline import gate
from pipeline.config.roles import program_of
from pipeline.gate import ExitCode
from pipeline.sweep import outcome
from pipeline.sweep.execute import conduct, context_of, finished, one_by_one, stop_if_wanted
from pipeline.sweep.outcome import Outcome
from pipeline.sweep.process import Ended, JointTask, Run

log = logging.getLogger(__name__)


def train_deferred(runs: Sequence[Run], directory: Path) -> None:
    """Runs of the same shape as one program each; those that ended before are skipped.

    Args:
        runs: all jobs' of a sweep.
        directory: the sweep's, for its log.

    Raises:
        Stopped: as `one_by_one`.
    """
    _log_to(directory)
    waiting = sorted((run for run in runs if not finished(run)), key=_shape)
    groups = [list(group) for _, group in groupby(waiting, key=_shape)]
    word = "program" if len(groups) == 1 else "programs"
    log.info("%d runs as %d compiled %s", len(waiting), len(groups), word)
    for group in groups:
        if len(group) > 1:
            _train_together(group)
        else:
            one_by_one(group)


def _log_to(directory: Path) -> None:
    """As conf/hydra/job_logging does for a job: Hydra's logging ended with its last one."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", force=True,
                        handlers=[logging.StreamHandler(sys.stderr), _log_file(directory)])
    logging.getLogger("pipeline").setLevel(logging.INFO)


@contextmanager
def _also_log_to(directory: Path) -> Iterator[None]:
    file = _log_file(directory)
    logging.getLogger().addHandler(file)
    try:
        log.info("trained together with the other runs of its shape; see the sweep's run.log")
        yield
    finally:
        logging.getLogger().removeHandler(file)
        file.close()


def _log_file(directory: Path) -> logging.FileHandler:
    file = logging.FileHandler(directory / "run.log")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return file


def _train_together(runs: Sequence[Run]) -> None:
    task = cast(JointTask, runs[0].task)
    deliveries: list[Callable[[], Ended]] = []
    clock = runs[0].job.process.take_clock()

    def train() -> None:
        deliveries.extend(task.run_together([(run.config, context_of(run, clock)) for run in runs]))

    training = gate.attempt(train)
    if not deliveries and training.exit_code is not ExitCode.INTERRUPTED:
        log.info("these runs cannot be trained together; each by itself shows whose error it is")
        one_by_one(runs)
        return
    outcomes = []
    for k, run in enumerate(runs):
        if deliveries:
            with _also_log_to(run.directory):
                outcomes.append(conduct(run, deliveries[k], clock))
        else:
            outcomes.append(
                Outcome(training, run.job.number, run.config.seed, run.job.overrides)
            )
            outcome.save(outcomes[-1], run.directory)
    for run, ended in zip(runs, outcomes, strict=True):
        stop_if_wanted(run, ended)


def _shape(run: Run) -> str:
    return repr(program_of(run.config))
