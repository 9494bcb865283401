"""What this process has under way; a launcher's worker has nothing of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.gate import ExitCode

if TYPE_CHECKING:   # run.py imports this module before anything is known to be wanted
    from pipeline.errors import PipelineError
    from pipeline.sweep.job import Run


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
class Begun:
    """The work of one process."""

    sweep: Path | None = None                              # the directory of a multirun
    ended: list[ExitCode] = field(default_factory=list)    # jobs that leave no outcome behind
    deferred: list[Run] = field(default_factory=list)      # to be trained together at the end
    launched: bool = False                                 # False in a launcher's worker
    has_workers: bool = False                              # jobs run in other processes
    asked_to_stop: bool = False                            # by SIGTERM; see launch._stop


begun = Begun()
