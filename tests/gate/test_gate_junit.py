"""JUnit XML that any parser takes, whatever the errors say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import gate
from pipeline.gate import Case, Ending, ExitCode, Outcome, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def suite(directory: Path, cases: list[Case]) -> ElementTree.Element:
    [found] = ElementTree.parse(gate.write_junit("run", cases, directory)).getroot()
    return found


def test_a_case_for_the_job_and_each_gate(tmp_path: Path) -> None:
    verdicts = [Verdict(outcome.value, outcome, "1", "2", "why") for outcome in Outcome]
    crashed = Ending(ExitCode.FAILED, NOW, 1.5, "it broke\nbadly", "Traceback …")
    found = suite(tmp_path, [gate.case_of_job("3 lr=0.1", crashed),
                             *map(gate.case_of_verdict, verdicts)])
    assert found.attrib == {"name": "run", "tests": "4", "failures": "1", "errors": "1",
                            "skipped": "1", "time": "1.500"}
    results = {case.get("name"): [result.tag for result in case] for case in found}
    assert results == {"3 lr=0.1": ["error"], "passed": [], "investigate": ["skipped"],
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
