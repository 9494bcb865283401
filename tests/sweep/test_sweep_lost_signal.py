"""SIGTERM where what its handler raises is lost: Python lets callbacks raise nothing."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from configured import configured

from pipeline.gate import Ending, ExitCode
from pipeline.signals import on_termination
from pipeline.sweep import execute, stopping
from pipeline.sweep.launch import _stop
from pipeline.sweep.outcome import Outcome
from pipeline.sweep.process import Job, Process, Run, Stopped
from pipeline.tasks import train
from pipeline.train import Stop


@pytest.fixture
def launched() -> Iterator[Process]:
    process = Process("")
    before = signal.getsignal(signal.SIGTERM)
    on_termination(lambda: _stop(process))
    yield process
    signal.signal(signal.SIGTERM, before)


def signal_the_process(phase: str, info: dict[str, int]) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_in_a_callback_still_ends_the_sweep(launched: Process) -> None:
    job = Job(Path("sweep/0"), 0, (), launched)
    run = Run(job, configured(), job.directory, "train", train)
    [look] = stopping.observers(run)
    passed = Outcome(Ending(ExitCode.PASSED, datetime.now(), 1.0), 0, 0, ())
    assert look(None, None) is None    # type: ignore[arg-type]  # it looks at neither
    execute.stop_if_wanted(run, passed)

    gc.callbacks.append(signal_the_process)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(signal_the_process)
    assert look(None, None) is Stop.INTERRUPTED    # type: ignore[arg-type]
    with pytest.raises(Stopped) as stopped:
        execute.stop_if_wanted(run, passed)
    assert stopped.value.exit_code is ExitCode.RESUMABLE
