"""The process, from its command line to its exit code."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from hydra.errors import HydraException

from pipeline.config.run_directory import unusable
from pipeline.gate import ExitCode, guard, worst
from pipeline.signals import on_termination
from pipeline.sweep.process import Process, Stopped

Explain: TypeAlias = Callable[[HydraException], Exception]


def launch(job: Callable[[], Any], explain: Explain, process: Process) -> ExitCode:
    """Lets Hydra run its jobs, then does what remains to be done when all have ended.

    Args:
        job: Hydra's entry point; a job records how it ended and raises nothing but `Stopped`.
        explain: makes an error for people of one that Hydra raised.
        process: what it has under way; the job's, too.
    """
    os.environ["JAXFROST_RUN"] = uuid.uuid4().hex[:6]   # for the names of directories
    on_termination(lambda: _stop(process))
    code = guard(lambda: _compose_and_run(job, explain, process))
    code = worst([code, *process.ended])
    if process.deferred and code is ExitCode.PASSED:
        code = guard(lambda: _train_deferred(process))
    directory, stopped = process.sweep, code
    if directory is not None:
        code = worst([code, guard(lambda: _conclude(process, directory, stopped))])
    return code


def _stop(process: Process) -> None:
    """SIGTERM between two trainings; while one is under way it has its own handler.

    The first one lets workers save what they have, and this process waits for them. What is raised
    is lost where the signal falls into a callback that Python lets raise nothing, as JAX's of the
    garbage collector, so that it is also noted: the next run or interval looks for it.
    """
    process.asked_to_stop = True
    if not process.has_workers or process.sweep is None or ExitCode.RESUMABLE in process.ended:
        raise Stopped(ExitCode.RESUMABLE)
    from pipeline.sweep import stopping

    process.ended.append(ExitCode.RESUMABLE)
    stopping.ask(process.sweep, ExitCode.RESUMABLE)


def _compose_and_run(job: Callable[[], Any], explain: Explain, process: Process) -> ExitCode:
    try:
        if any(one.startswith("sweep.resume=") for one in sys.argv):
            from pipeline.sweep.resume import whole_command_line  # late: --help waits for all

            sys.argv[1:] = whole_command_line(sys.argv[1:])
        from pipeline.sweep.callback import told_of  # late: --help does not wait for it

        with told_of(process):
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


def _train_deferred(process: Process) -> ExitCode:
    """The jobs of a sweep with `sweep.strategy=vmap`, now that all are known."""
    from pipeline.sweep import together

    assert process.sweep is not None, "jobs are deferred only in a sweep"
    try:
        together.train_deferred(process.deferred, process.sweep)
    except Stopped as stopped:
        return stopped.exit_code
    return ExitCode.PASSED


def _conclude(process: Process, directory: Path, stopped: ExitCode) -> ExitCode:
    from pipeline.sweep.conclude import conclude, load_sweep

    sweep = load_sweep(directory, process.gates, process.ranking)
    if not sweep.found:
        _remove_if_nothing_was_begun(directory)
        return stopped
    return conclude(sweep, stopped)


def _remove_if_nothing_was_begun(directory: Path) -> None:
    """Of a sweep whose jobs could not even be composed there are only Hydra's records."""
    if {path.name for path in directory.iterdir()} <= {".hydra", "multirun.yaml"}:
        shutil.rmtree(directory)
