"""The process, from its command line to its exit code."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias

from hydra.errors import HydraException

from pipeline.config.run_directory import unusable
from pipeline.gate import ExitCode, guard, worst
from pipeline.sweep.begun import Stopped, begun

Explain: TypeAlias = Callable[[HydraException], Exception]


def launch(job: Callable[[], Any], explain: Explain) -> ExitCode:
    """Lets Hydra run its jobs, then does what remains to be done when all have ended.

    Args:
        job: Hydra's entry point; a job records how it ended and raises nothing but `Stopped`.
        explain: makes an error for people of one that Hydra raised.
    """
    os.environ["JAXFROST_RUN"] = uuid.uuid4().hex[:6]   # for the names of directories
    signal.signal(signal.SIGTERM, _stop)
    begun.launched = True
    code = guard(lambda: _compose_and_run(job, explain))
    code = worst([code, *begun.ended])
    if begun.deferred and code is ExitCode.PASSED:
        code = guard(_train_deferred)
    directory, stopped = begun.sweep, code
    if directory is not None:
        code = worst([code, guard(lambda: _conclude(directory, stopped))])
    return code


def _stop(signum: int, frame: FrameType | None) -> None:
    """SIGTERM between two trainings; while one is under way it has its own handler.

    The first one lets workers save what they have, and this process waits for them. What is raised
    is lost where the signal falls into a callback that Python lets raise nothing, as JAX's of the
    garbage collector, so that it is also noted: the next run or interval looks for it.
    """
    begun.asked_to_stop = True
    if not begun.has_workers or begun.sweep is None or ExitCode.RESUMABLE in begun.ended:
        raise Stopped(ExitCode.RESUMABLE)
    from pipeline.sweep import stopping

    begun.ended.append(ExitCode.RESUMABLE)
    stopping.ask(begun.sweep, ExitCode.RESUMABLE)


def _compose_and_run(job: Callable[[], Any], explain: Explain) -> ExitCode:
    try:
        if any(one.startswith("sweep.resume=") for one in sys.argv):
            from pipeline.sweep.resume import whole_command_line  # late: --help waits for all

            sys.argv[1:] = whole_command_line(sys.argv[1:])
        job()
    except HydraException as error:
        raise explain(error) from None
    except Stopped as stopped:
        if stopped.reason is not None:
            raise stopped.reason from None
        return stopped.exit_code
    except OSError as error:   # a job raises none: it is the directory that Hydra makes for it
        if error.filename is None:
            raise
        raise unusable(error) from None
    return ExitCode.PASSED


def _train_deferred() -> ExitCode:
    """The jobs of a sweep with `sweep.strategy=vmap`, now that all are known."""
    from pipeline.sweep import together

    assert begun.sweep is not None, "jobs are deferred only in a sweep"
    try:
        together.train_deferred(begun.deferred, begun.sweep)
    except Stopped as stopped:
        return stopped.exit_code
    return ExitCode.PASSED


def _conclude(directory: Path, stopped: ExitCode) -> ExitCode:
    from pipeline.sweep.conclude import conclude, load_sweep

    sweep = load_sweep(directory)
    if not sweep.found:
        _remove_if_nothing_was_begun(directory)
        return stopped
    return conclude(sweep, stopped)


def _remove_if_nothing_was_begun(directory: Path) -> None:
    """Of a sweep whose jobs could not even be composed there are only Hydra's records."""
    if {path.name for path in directory.iterdir()} <= {".hydra", "multirun.yaml"}:
        shutil.rmtree(directory)
