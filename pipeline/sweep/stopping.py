"""Ending a sweep whose jobs run in other processes, or on other machines: a file in its directory.

A signal reaches the process that was started, and an error the one that made it. The others look
for the file before they begin a job and after each interval of its training.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.files import write_atomically
from pipeline.gate import ExitCode
from pipeline.sweep.begun import begun

if TYPE_CHECKING:   # train imports JAX
    from pipeline.sweep.job import Job, Run
    from pipeline.train import Interval, Observer, Stop, TrainState

_FILE_NAME = ".stop"     # holds the exit code of what ended the sweep


def ask(sweep_directory: Path, reason: ExitCode) -> None:
    """Lets no further job begin; with RESUMABLE those under way end at their next interval."""
    write_atomically(sweep_directory / _FILE_NAME, f"{reason:d}\n")


def asked(sweep_directory: Path) -> ExitCode | None:
    """What has ended the sweep; None while nothing has."""
    try:
        return ExitCode(int((sweep_directory / _FILE_NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def forget(sweep_directory: Path) -> None:
    """For a sweep that is resumed."""
    (sweep_directory / _FILE_NAME).unlink(missing_ok=True)


def comes_too_late(job: Job) -> bool:
    """Whether the sweep ended before a worker came to this job, which then leaves nothing."""
    if begun.launched or asked(job.directory.parent) is None:
        return False
    if not any(job.directory.iterdir()):
        job.directory.rmdir()   # Hydra made it
    return True


def observers(run: Run) -> list[Observer]:
    """What ends a training when the sweep is to end, or was asked to before the training began."""
    from pipeline.train import Stop

    sweep_directory = run.job.directory.parent

    def look(interval: Interval, state: TrainState) -> Stop | None:
        wanted = begun.asked_to_stop if begun.launched else (
            asked(sweep_directory) is ExitCode.RESUMABLE)
        return Stop.INTERRUPTED if wanted else None

    return [look]


def leave_signals_to_the_sweep() -> None:
    """SIGTERM sent to a whole group of processes must not kill a worker that is between two jobs.

    While it trains the signal is heard as everywhere (`train.interruption`).
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda signum, frame: None)
