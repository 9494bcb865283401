from __future__ import annotations

import io
from pathlib import Path

import pytest
from finished_run import RUN, file, finished_run
from rich.console import Console

from pipeline.persistence import Artifact
from pipeline.report import print_summary, summary_lines
from pipeline.report.summary import summary
from pipeline.verification import Parity


def test_the_last_lines_of_a_run() -> None:
    assert summary_lines(finished_run(), RUN) == [
        "test accuracy 88.00 %   loss 0.0634   artefacts 2 of 2 agree   49.7 s",
        "",
        "artefact       path                size  difference  relative  agrees",
        "tf_checkpoint  model.ckpt-1200  3.18 MB           0         0  yes",
        "frozen_graph   frozen_graph.pb  1.59 MB    1.19e-07   3.4e-06  yes",
        "",
        f"report  {RUN}/report.html",
    ]


def test_a_disagreement_stands_out() -> None:
    bad = finished_run(parities=[Parity("frozen_graph", 0.3, 0.1, False, "")])
    lines = summary_lines(bad, RUN)
    assert "artefacts 1 of 1 disagree" in lines[0]
    assert lines[3].endswith("not compared")
    assert lines[4].endswith("NO")


def test_without_evaluation_and_artefacts() -> None:
    assert summary_lines(finished_run(evaluation=None, artifacts=[], parities=[]), RUN) == [
        "artefacts none, nothing to verify   49.7 s", "", f"report  {RUN}/report.html"]


def test_elsewhere_than_on_a_terminal_lines_are_plain_and_unbroken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    deep = Path("/" + "a-long-name/" * 30)
    print_summary(finished_run(), deep)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert f"report  {deep}/report.html\n" in printed


def test_a_terminal_gets_colours_and_no_line_too_long() -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system="standard",
                      no_color=False)
    with console.capture() as captured:
        console.print(summary(finished_run(), RUN))
    assert "\x1b[32myes" in captured.get()


def test_names_can_neither_style_nor_steer_the_terminal() -> None:
    name = "[red]x[/red]\x1b[2J"
    bad = Artifact(name, name, RUN / name, (file("f", 1),))
    lines = summary_lines(finished_run(artifacts=[bad], parities=[]), RUN)
    assert lines[3].startswith("[red]x[/red]\N{REPLACEMENT CHARACTER}[2J")
    assert "\x1b" not in "".join(lines)
