"""Commands that are printed can be typed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline import invocation

INSTALLED = str(Path(sys.executable).parent / "python")   # any command on the PATH


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAXFROST_PROGRAM", "")
    monkeypatch.setenv("JAXFROST_OPTIONS", "")
    monkeypatch.setenv("PATH", str(Path(INSTALLED).parent))


@pytest.mark.parametrize(("argv0", "program"), [
    ("run.py", "python run.py"),
    ("/some where/run.py", "python '/some where/run.py'"),
    ("/site-packages/pipeline/__main__.py", "python -m pipeline"),
    (INSTALLED, "python"),
    ("/not/on/the/path/jaxfrost", "/not/on/the/path/jaxfrost"),
])
def test_the_program_is_named_as_it_was_started(argv0: str, program: str) -> None:
    invocation.note(argv0)
    assert invocation.program() == program
    assert invocation.command(["a=1", "notes=two words"]) == f"{program} a=1 'notes=two words'"


def test_what_repeats_a_run_looks_where_the_run_looked() -> None:
    invocation.note("run.py", ["--config-dir", "/my conf"])
    assert invocation.repeating(["a=1"]) == "python run.py --config-dir '/my conf' a=1"
    assert invocation.command(["a=1"]) == "python run.py a=1"
