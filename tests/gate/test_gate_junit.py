"""JUnit XML that any parser takes, whatever the errors say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import gate
from pipeline.gate import Case, Ending, ExitCode, Outcome, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def suite(directory: Path, cases: list[Case]) -> ElementTree.Element:
    [found] = ElementTree.parse(gate.write_junit("run", cases, directory)).getroot()
    return found


@pytest.mark.parametrize(("code", "undecided"), [
    (ExitCode.PASSED, "skipped"), (ExitCode.GATE_FAILED, "failure"),
    (ExitCode.INTEGRITY, "failure"),
])
def test_a_case_for_the_job_and_each_gate(
    code: ExitCode, undecided: str, tmp_path: Path
) -> None:
    """One to investigate fails where the run does: CI must not show green for a run that failed."""
    verdicts = [Verdict(outcome.value, outcome, "1", "2", "why") for outcome in Outcome]
    crashed = Ending(ExitCode.FAILED, NOW, 1.5, "it broke\nbadly", "Traceback …")
    found = suite(tmp_path, [gate.case_of_job("3 lr=0.1", crashed),
                             *(gate.case_of_verdict(one, code) for one in verdicts)])
    assert found.attrib == {"name": "run", "tests": "4", "errors": "1",
                            "failures": str(1 + (undecided == "failure")),
                            "skipped": str(int(undecided == "skipped")), "time": "1.500"}
    results = {case.get("name"): [result.tag for result in case] for case in found}
    assert results == {"3 lr=0.1": ["error"], "passed": [], "investigate": [undecided],
                       "failed": ["failure"]}
    error = found.find("testcase/error")
    assert error is not None
    assert (error.get("message"), error.text) == ("it broke", "Traceback …")


def test_a_gate_that_failed_is_no_error_of_the_job(tmp_path: Path) -> None:
    for code in (ExitCode.PASSED, ExitCode.GATE_FAILED):
        case = gate.case_of_job("job", Ending(code, NOW, 1.0))
        assert case.result is None
    for code in (ExitCode.FAILED, ExitCode.INTEGRITY, ExitCode.RESUMABLE, ExitCode.INTERRUPTED):
        assert gate.case_of_job("job", Ending(code, NOW, 1.0)).result is not None


@settings(max_examples=100)
@given(st.text(), st.text())
def test_hostile_text_stays_text(tmp_path_factory, name: str, error: str) -> None:  # type: ignore[no-untyped-def]
    directory = tmp_path_factory.mktemp("junit")
    ending = Ending(ExitCode.FAILED, NOW, 1.0, error, error)
    found = suite(directory, [gate.case_of_job(name, ending)])
    assert len(found) == len(found[0]) == 1
