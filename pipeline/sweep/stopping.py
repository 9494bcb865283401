"""Ending a sweep whose jobs run in other processes, or on other machines: a file in its directory.

A signal reaches the process that was started, and an error the one that made it. The others look
for the file before they begin a job and after each interval of its training.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.files import write_atomically
from pipeline.gate import ExitCode

if TYPE_CHECKING:   # train imports JAX
    from pipeline.sweep.process import Job, Run
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
    if job.process.launched or asked(job.directory.parent) is None:
        return False
    if not any(job.directory.iterdir()):
        job.directory.rmdir()   # Hydra made it
    return True


def observers(run: Run) -> list[Observer]:
    """What ends a training when the sweep is to end, or was asked to before the training began."""
    from pipeline.train import Stop

    sweep_directory, process = run.job.directory.parent, run.job.process

    def look(interval: Interval, state: TrainState) -> Stop | None:
        wanted = process.asked_to_stop if process.launched else (
            asked(sweep_directory) is ExitCode.RESUMABLE)
        return Stop.INTERRUPTED if wanted else None

    return [look]
