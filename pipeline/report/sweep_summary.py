"""A sweep's last lines on the terminal: one table, then what went wrong."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from pipeline.report import quantities
from pipeline.report.markup import printable
from pipeline.report.summary import gate_lines
from pipeline.report.sweep_content import Setting, SweepReport, SweepRun
from pipeline.terminal import open_console

_UNBROKEN = 10_000    # columns
_DIGITS = 10          # longer numbers are shortened


def print_sweep(report: SweepReport, directory: Path) -> None:
    """The table on standard output: coloured on a terminal, plain lines elsewhere."""
    console = open_console()
    if console.is_terminal:
        console.print(sweep_summary(report, directory, console))
    else:
        print(*sweep_lines(report, directory), sep="\n")


def sweep_lines(report: SweepReport, directory: Path) -> list[str]:
    """The same without colour, for logs; no line is broken."""
    console = Console(file=io.StringIO(), width=_UNBROKEN, color_system=None)
    with console.capture() as captured:
        console.print(sweep_summary(report, directory, console))
    return [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]


def sweep_summary(report: SweepReport, directory: Path, console: Console) -> Group:
    """The ranking, the failures with the first line of their errors, the gates, the page."""
    parts: list[RenderableType] = [_fitting_ranking(report, console)]
    if report.note:
        parts += [Text(""), Text(printable(report.note), "bold red")]
    if report.errors:
        parts += [Text(""), _failures(report.errors)]
    if report.verdicts:
        parts += [Text(""), gate_lines(report.verdicts)]
    end = f"{report.tally}   {quantities.duration(report.seconds)}"
    page = printable(str(directory / "sweep.html"))
    return Group(*parts, Text(""), Text(end), Text(f"report  {page}", overflow="fold"))


def _fitting_ranking(report: SweepReport, console: Console) -> Table:
    """With as many metrics as stand side by side; the page has them all."""
    unlimited = console.options.update(max_width=_UNBROKEN)
    tables = [_ranking(report, report.metrics[:count])
              for count in range(len(report.metrics), 0, -1)] or [_ranking(report, ())]
    return next((table for table in tables
                 if Measurement.get(console, unlimited, table).maximum <= console.width),
                tables[-1])


def _ranking(report: SweepReport, metrics: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("", justify="right")
    for title in report.titles.values():
        table.add_column(Text(printable(title)), overflow="fold")
    for name in metrics:
        table.add_column(metric_title(name), justify="right", no_wrap=True)
    table.add_column("runs", overflow="fold")
    for place, setting in enumerate(report.settings, start=1):
        best = setting is report.best
        values = [printable(given(setting, key)) for key in report.varied]
        table.add_row(
            "best" if best else str(place) if setting.is_ranked else quantities.MISSING,
            *map(Text, values), *(with_spread(setting, name) for name in metrics),
            Text(printable(_places(setting))),
            style="bold green" if best else None,
        )
    return table


def _places(setting: Setting) -> str:
    """The runs' directories; several seeds of a job are named once: `3/seed-0…2`."""
    directories = [run.directory for run in setting.runs]
    first, *_, last = directories * 2
    stem, _, seed = last.rpartition("seed-")
    together = len(directories) > 1 and all(one.startswith(f"{stem}seed-") for one in directories)
    return f"{first}…{seed}" if together else " ".join(directories)


def _failures(errors: Sequence[Sequence[SweepRun]]) -> Text:
    lines = []
    for runs in errors:
        where = ", ".join(run.directory for run in runs)
        first = runs[0].error.partition("\n")[0]
        style = "bold red" if runs[0].has_failed else "bold yellow"
        lines.append(Text.assemble((f"{runs[0].ending}  ", style),
                                   printable(f"{where}: {first}")))
    return Text("\n").join(lines)


def metric_title(name: str) -> str:
    """`validation_accuracy` → "validation accuracy"; `durations.train` → "train seconds"."""
    if name.startswith("durations."):
        return f"{name.removeprefix('durations.')} seconds"
    return name.replace("_", " ")


def value_text(metric: str, value: float | None) -> str:
    """A metric's value as people read it."""
    if value is not None and metric == "step":
        return quantities.count(round(value))
    return quantities.percent(value) if "accuracy" in metric else quantities.number(value)


def with_spread(setting: Setting, metric: str) -> str:
    """`98.12 ± 0.07 %`, or the one value."""
    mean, deviation = setting.mean(metric), setting.deviation(metric)
    compiles = metric.startswith("durations.")   # the first run of a shape alone: no spread
    if mean is None or deviation is None or not math.isfinite(mean) or compiles:
        return value_text(metric, mean)
    if "accuracy" in metric:
        return f"{100 * mean:.2f} ± {100 * deviation:.2f} %"
    if metric == "step":
        return f"{mean:,.0f} ± {deviation:.0f}"
    return f"{quantities.number(mean)} ± {deviation:.2g}"


def given(setting: Setting, key: str) -> str:
    """What a setting was told, numbers that a search chose to six digits."""
    value = setting.overrides.get(key, quantities.MISSING)
    if len(value) <= _DIGITS:
        return value
    try:
        return f"{float(value):.6g}"
    except ValueError:
        return value


def setting_name(setting: Setting, titles: Mapping[str, str]) -> str:
    """What makes a setting this one, in few words: `learning_rate 0.1 · momentum 0.9`."""
    pairs = [f"{title} {given(setting, key)}" for key, title in titles.items()]
    return " · ".join(pairs) or "all seeds"
