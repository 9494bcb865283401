"""What a process ends with."""

from __future__ import annotations

import itertools

import pytest

from pipeline.config import ConfigError
from pipeline.data import DataError
from pipeline.gate import ExitCode, attempt, guard, worst


def test_the_codes_are_those_that_were_promised() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "PASSED": 0, "FAILED": 1, "USAGE": 2, "GATE_FAILED": 3, "INTEGRITY": 4, "RESUMABLE": 75,
        "INTERRUPTED": 130,
    }


def raises(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("a.b=3: too small"), ExitCode.FAILED, "a.b=3: too small"),
        (DataError("train: truncated"), ExitCode.INTEGRITY, "train: truncated"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "interrupted"),
        (ZeroDivisionError("by zero"), ExitCode.FAILED, "ZeroDivisionError: by zero"),
    ],
)
def test_an_error_becomes_a_code_and_a_record(
    error: BaseException, code: ExitCode, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = attempt(lambda: raises(error))
    assert (ending.exit_code, ending.error) == (code, told)
    assert ("Traceback" in ending.traceback) == (code is not ExitCode.INTERRUPTED)
    assert ending.seconds >= 0
    assert ending.started.tzinfo is not None
    if code is not ExitCode.FAILED:
        assert told in capsys.readouterr().err


def test_what_is_returned_is_the_code() -> None:
    assert guard(lambda: None) is ExitCode.PASSED
    assert guard(lambda: ExitCode.GATE_FAILED) is ExitCode.GATE_FAILED


def test_the_worst_is_what_leaves_most_undone() -> None:
    order = [ExitCode.PASSED, ExitCode.GATE_FAILED, ExitCode.INTEGRITY, ExitCode.FAILED,
             ExitCode.USAGE, ExitCode.RESUMABLE, ExitCode.INTERRUPTED]
    for better, worse in itertools.combinations(order, 2):
        assert worst([better, worse]) is worst([worse, better]) is worse
    assert worst([]) is ExitCode.PASSED
