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
from pipeline.sweep import execute, stopping
from pipeline.sweep.begun import Stopped, begun
from pipeline.sweep.job import Job, Run
from pipeline.sweep.launch import _stop
from pipeline.sweep.outcome import Outcome
from pipeline.train import Stop


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(begun, "launched", True)
    monkeypatch.setattr(begun, "asked_to_stop", False)
    before = signal.signal(signal.SIGTERM, _stop)
    yield
    signal.signal(signal.SIGTERM, before)


def signal_the_process(phase: str, info: dict[str, int]) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_in_a_callback_still_ends_the_sweep(launched: None) -> None:
    config = configured()
    [look] = stopping.observers(Run(Job(Path("sweep/0"), 0, ()), config, Path("sweep/0")))
    passed = Outcome(Ending(ExitCode.PASSED, datetime.now(), 1.0), 0, 0, ())
    assert look(None, None) is None    # type: ignore[arg-type]  # it looks at neither
    execute.stop_if_wanted(config, passed)

    gc.callbacks.append(signal_the_process)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(signal_the_process)
    assert look(None, None) is Stop.INTERRUPTED    # type: ignore[arg-type]
    with pytest.raises(Stopped) as stopped:
        execute.stop_if_wanted(config, passed)
    assert stopped.value.exit_code is ExitCode.RESUMABLE
