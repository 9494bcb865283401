"""What a process has under way: jobs, Hydra's word for one set of overrides, and their runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.clock import Clock
from pipeline.gate import ExitCode

if TYPE_CHECKING:   # run.py imports this module before anything is known to be wanted
    from pipeline.config.gate import GateConfig
    from pipeline.config.schema import RunConfig
    from pipeline.config.sweep import SweepConfig
    from pipeline.context import Context
    from pipeline.errors import PipelineError


class Stopped(BaseException):
    """Ends a sweep from within a job or a callback.

    No Exception: Hydra catches those of a job and makes warnings of those of a callback.
    """

    def __init__(self, exit_code: ExitCode, reason: PipelineError | None = None) -> None:
        super().__init__(exit_code.name)
        self.exit_code = exit_code
        self.reason = reason

    def __reduce__(self) -> tuple[type[Stopped], tuple[ExitCode, PipelineError | None]]:
        return type(self), (self.exit_code, self.reason)


@dataclass
class Process:
    """The work of one process; pickled, it becomes that of a launcher's worker."""

    command: str                                           # as typed
    launched: bool = True                                  # False in a launcher's worker
    sweep: Path | None = None                              # the directory of a multirun
    ended: list[ExitCode] = field(default_factory=list)    # jobs that leave no outcome behind
    deferred: list[Run] = field(default_factory=list)      # to be trained together at the end
    has_workers: bool = False                              # jobs run in other processes
    asked_to_stop: bool = False                            # by SIGTERM; see `signals`
    gates: GateConfig | None = None                        # of the sweep, to conclude it by
    ranking: SweepConfig | None = None
    clock: Clock | None = None                             # of what has begun, until a run takes it

    def take_clock(self) -> Clock:
        """When the next run began: with the process, with its job, or now."""
        clock, self.clock = self.clock or Clock.now(), None
        return clock

    def __reduce__(self) -> tuple[type[Process], tuple[str, bool]]:
        return type(self), (self.command, False)


class Ended(Protocol):
    """What a task says of a run that it made."""

    @property
    def exit_code(self) -> ExitCode:
        """What the run ends with."""


class RunTask(Protocol):
    """A task that makes runs; the modules of `pipeline.tasks` are such tasks."""

    def run(self, options: Any, context: Context, /) -> Ended:
        """Makes one run."""


class JointTask(RunTask, Protocol):
    """A task that can make several runs at once."""

    def run_together(
        self, runs: Sequence[tuple[Any, Context]], /
    ) -> Sequence[Callable[[], Ended]]:
        """Begins several runs together; what does the rest of each."""


@dataclass(frozen=True)
class Job:
    """What Hydra made of a command line."""

    directory: Path
    number: int | None             # in its sweep; None outside one
    overrides: tuple[str, ...]     # the task's, without Hydra's own
    process: Process               # in which it runs


@dataclass(frozen=True)
class Run:
    """One training: a job's, or one seed's of a job."""

    job: Job
    config: RunConfig
    directory: Path
    name: str                      # of the task
    task: RunTask

    @property
    def is_alone(self) -> bool:
        """Whether it is not one of several."""
        return self.job.number is None and self.directory == self.job.directory
