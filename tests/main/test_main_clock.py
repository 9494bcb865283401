"""The clock of a process begins with the process, not with our first line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from configured import ROOT

from pipeline import clock
from pipeline.clock import Clock
from pipeline.sweep.process import Process

_TICK = 0.1     # seconds: /proc counts in hundredths, by a clock of its own
_CHILD = """
import json, time
began, slept = time.time(), time.sleep(0.3)
from pipeline.clock import Clock
of_process = Clock.of_process()
print(json.dumps([of_process.started.timestamp(), began, of_process.seconds]))
"""


def test_the_interpreter_s_own_beginning_counts() -> None:
    before = time.time()
    told = subprocess.run([sys.executable, "-c", _CHILD], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    started, first_line, seconds = json.loads(told.stdout)
    assert before - _TICK <= started <= first_line
    assert seconds >= 0.3


def test_without_proc_the_clock_begins_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (None, "1 (a b) c", "1 (a) " + "x " * 40):
        if content is not None:
            (tmp_path / "stat").write_text(content)
        monkeypatch.setattr(clock, "_STAT", tmp_path / "stat")
        assert clock.process_age() == 0.0


def test_a_name_with_brackets_hides_no_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stat").write_text("1 (a) b (c)) " + "0 " * 19 + "100 0 0")
    monkeypatch.setattr(clock, "_STAT", tmp_path / "stat")
    monkeypatch.setattr(clock.time, "clock_gettime", lambda which: 100.0)
    monkeypatch.setattr(clock.os, "sysconf", lambda name: 100)
    assert clock.process_age() == 99.0


def test_the_first_run_begins_with_the_process_and_the_next_with_itself() -> None:
    first = Clock(datetime.now().astimezone(), 0.0)
    process = Process("", clock=first)
    assert process.take_clock() is first
    assert process.take_clock().began > 0.0
