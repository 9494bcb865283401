"""Bars and colours: on a terminal, and only there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import SMALL, Finished
from terminal import run_on_terminal

from pipeline.terminal import open_console, takes_bars

WORDS = ("model=softmax", "trainer.epochs=2", "trainer.interval=4", "persistence=none",
         "trainer.checkpoint_every=1")
STEPS = [f"step {step}/26" for step in (4, 8, 12, 16, 20, 24, 26)]
DATED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO pipeline\.train\.progress: "
                   r"(step \d+/26)  epoch ", re.MULTILINE)


def test_a_terminal_shows_a_bar_and_the_log_keeps_the_lines(home: Path) -> None:
    code, sent = run_on_terminal(home, *WORDS, "hydra.run.dir=on-terminal")
    assert code == 0, sent
    assert "\x1b[" in sent
    assert "━" in sent
    assert "26/26" in sent
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent)
    shown = [line.strip() for line in re.split("[\r\n]+", plain)]
    assert "stopped at step 26: all steps done" in shown, "whole, on a line of its own"
    assert not [line for line in shown if "step 4/26" in line], "the bar tells it"
    assert DATED.findall((home / "on-terminal" / "run.log").read_text()) == STEPS


def test_who_wants_no_colour_gets_plain_lines(home: Path) -> None:
    code, sent = run_on_terminal(home, *WORDS, "hydra.run.dir=plain", NO_COLOR="1")
    assert code == 0, sent
    assert "\x1b" not in sent
    assert "━" not in sent
    assert [step for step in STEPS if step in sent] == STEPS


@pytest.mark.parametrize(
    ("environment", "bars"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_bars_need_a_terminal_that_can_and_may(
    environment: dict[str, str], bars: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert takes_bars(open_console(stderr=True)) is bars


def test_elsewhere_there_are_neither(trained: tuple[Path, Finished]) -> None:
    directory, finished = trained
    assert not {"\x1b", "━", "\r"} & set(finished.out + finished.err)
    assert DATED.findall((directory / "run.log").read_text()) == STEPS
    assert SMALL[1] == "trainer.interval=4", "as STEPS say"
