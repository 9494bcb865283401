"""Summaries and annotations for GitHub Actions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import gate
from pipeline.gate import Ending, ExitCode, Outcome, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FINE = Ending(ExitCode.PASSED, NOW, 1.0)
VERDICTS = [Verdict(outcome.value, outcome, "1 | 2", "a*b <i>", "x\ny") for outcome in Outcome]


def test_annotations_are_escaped_as_the_runner_unescapes_them() -> None:
    ending = Ending(ExitCode.FAILED, NOW, 1.0, "50% of a: b, c\nsecond")
    assert gate.workflow_commands("run", VERDICTS, ending) == [
        "::error title=run%3A failed::50%25 of a: b, c%0Asecond",
        "::warning title=run%3A gate investigate::found 1 | 2, expected a*b <i>%0Ax%0Ay",
        "::error title=run%3A gate failed::found 1 | 2, expected a*b <i>%0Ax%0Ay",
    ]
    assert gate.workflow_commands("run", VERDICTS[:1], FINE) == []


def test_the_table_has_a_row_for_each_gate_whatever_is_in_it() -> None:
    lines = gate.markdown("run", VERDICTS, FINE).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(VERDICTS)
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}
    assert "1 \\| 2" in rows[2]
    assert "&lt;i>" in rows[2]
    assert "x<br>y" in rows[2]


def test_an_error_is_fenced_whatever_is_in_it() -> None:
    ending = Ending(ExitCode.FAILED, NOW, 1.0, "```\n# no heading")
    assert "````\n```\n# no heading\n````" in gate.markdown("run", [], ending)


def test_elsewhere_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    gate.announce("text", ["::error::x"])
    assert capsys.readouterr().out == ""


def test_on_github_the_summary_grows_up_to_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    gate.announce("one", ["::error::x"])
    gate.announce("two", [])
    gate.announce("3" * 1024 * 1024, [])
    assert summary.read_text() == "one\ntwo\n"
    assert capsys.readouterr().out == "::error::x\n"
