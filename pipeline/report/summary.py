"""What a run's last lines on the terminal say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.report import quantities
from pipeline.report.content import Report
from pipeline.report.markup import printable
from pipeline.terminal import open_console

if TYPE_CHECKING:
    from pipeline.gate import Verdict

_STYLE = {True: "green", False: "bold red", None: "dim"}
_ANSWER = {True: "yes", False: "NO", None: "not compared"}
_UNBROKEN = 10_000    # columns
_LOUD = {"investigate": "INVESTIGATE"}    # easily overlooked, because nothing was found to be wrong
_LOUD_STYLE = {"investigate": "bold yellow reverse", "failed": "bold red"}


def print_summary(report: Report, run_directory: Path) -> None:
    """The summary on standard output: coloured on a terminal, unbroken lines elsewhere."""
    console = open_console()
    if console.is_terminal:
        console.print(summary(report, run_directory))
    else:
        # At once, so that it stands behind the log's lines where both go into one file.
        print(*summary_lines(report, run_directory), sep="\n", flush=True)


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """What gates say, alone."""
    open_console().print(gate_lines(verdicts), soft_wrap=True)


def summary(report: Report, run_directory: Path) -> Group:
    """Accuracy, artefacts with sizes and parity, gates, where the report is; for a rich console."""
    parts: list[RenderableType] = [_figures(report)]
    if report.comparisons:
        parts += [Text(""), _artefacts(report, run_directory)]
    if report.verdicts:
        parts += [Text(""), gate_lines(report.verdicts)]
    page = printable(str(run_directory / "report.html"))
    return Group(*parts, Text(""), Text(f"report  {page}", overflow="fold"))


def gate_lines(verdicts: Sequence[Verdict]) -> Text:
    """How many gates passed, and a line for each that did not."""
    passed = sum(verdict.outcome == "passed" for verdict in verdicts)
    style = "green" if passed == len(verdicts) else "bold red"
    text = Text(f"gates {passed} of {len(verdicts)} passed", style)
    for verdict in verdicts:
        if verdict.outcome != "passed":
            text.append(f"\n  {_LOUD.get(verdict.outcome, verdict.outcome)}",
                        _LOUD_STYLE.get(verdict.outcome, "default"))
            text.append(printable(f"  {verdict.name}: found {verdict.found}, "
                                  f"expected {verdict.expected}"), "default")
            text.append("".join(f"\n      {line}" for line in
                                printable(verdict.detail).splitlines()), "default")
    return text


def summary_lines(report: Report, run_directory: Path) -> list[str]:
    """The same without colour, for logs; no line is broken."""
    console = Console(file=io.StringIO(), width=_UNBROKEN, color_system=None)
    with console.capture() as captured:
        console.print(summary(report, run_directory))
    return [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]


def _figures(report: Report) -> Text:
    text = Text()
    if report.evaluation is not None:
        text.append(f"test accuracy {quantities.percent(report.evaluation.accuracy)}", "bold")
        text.append(f"   loss {quantities.number(report.evaluation.loss)}   ")
    text.append(f"artefacts {report.verdict}", _STYLE[report.verified])
    text.append(f"   {quantities.duration(report.seconds)}")
    return text.append(f" ({report.overhead})", "dim") if report.overhead else text


def _artefacts(report: Report, run_directory: Path) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("artefact", "path"):
        table.add_column(title, overflow="fold")
    for title in ("size", "difference", "relative"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("agrees", no_wrap=True)
    for found in report.comparisons:
        parity = found.parity
        agrees = parity.agrees if parity else None
        table.add_row(
            Text(printable(found.name)), Text(printable(found.path_within(run_directory))),
            quantities.size(found.size),
            quantities.number(parity.max_absolute if parity else None),
            quantities.number(parity.max_relative if parity else None),
            Text(_ANSWER[agrees], _STYLE[agrees]),
        )
    return table
