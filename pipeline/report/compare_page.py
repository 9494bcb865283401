"""Two runs side by side: figures, configuration, curves, variables."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.report import quantities
from pipeline.report.chart import Chart, Series, line_chart
from pipeline.report.compare_content import ComparedRun, ComparedVariable, RunComparison
from pipeline.report.markup import Child, Markup, printable, tag
from pipeline.report.page import Section, page
from pipeline.report.sweep_summary import metric_title, value_text
from pipeline.report.table import Column, table

_UNBROKEN = 10_000    # columns


def compare_page(comparison: RunComparison) -> str:
    """The whole HTML document."""
    first, second = comparison.runs
    header = tag(
        "header", tag("p", "jaxfrost comparison", class_="kind"),
        tag("h1", tag("span", tag("i", class_="swatch s0"), first.name), " and ",
            tag("span", tag("i", class_="swatch s1"), second.name)),
        tag("p", tag("code", first.directory), class_="when"),
        tag("p", tag("code", second.directory), class_="when"),
    )
    return page(f"{first.name} and {second.name} · jaxfrost", header, [
        Section("metrics", "Figures", _metrics(comparison)),
        Section("curves", "Learning curves", _curves(comparison.runs)),
        Section("settings", "Configuration", _settings(comparison)),
        Section("variables", "Variables", _variables(comparison)),
        Section("environment", "Environment", _environment(comparison.runs)),
    ])


def _metrics(comparison: RunComparison) -> Markup:
    columns = [Column("figure"), *(Column(run.name, numeric=True) for run in comparison.runs),
               Column("difference", numeric=True)]
    return table(columns, [list[Child](row) for row in metric_rows(comparison)])


def metric_rows(comparison: RunComparison) -> list[list[str]]:
    """Title, both values, second minus first."""
    first, second = comparison.runs
    rows = []
    for name in comparison.metrics:
        a, b = first.metrics.get(name), second.metrics.get(name)
        rows.append([metric_title(name), value_text(name, a), value_text(name, b),
                     _difference(name, a, b)])
    return rows


def _difference(name: str, first: float | None, second: float | None) -> str:
    if first is None or second is None:
        return quantities.MISSING
    if first == second:
        return "="
    sign = "+" if second > first else ""
    if "accuracy" in name:
        return f"{sign}{100 * (second - first):.2f} points"
    return sign + quantities.number(second - first)


def _curves(runs: Sequence[ComparedRun]) -> Markup:
    def chart(title: str, key: str, *, share: bool) -> Chart:
        series = [Series(run.name, [(float(one["step"]), one[key]) for one in run.history
                                    if one[key] is not None]) for run in runs]
        if share:
            return Chart(title=title, series=series, text=quantities.percent,
                         tick_text=quantities.short_percent, x_text=_at)
        return Chart(title=title, series=series, include=(0.0,), may_be_logarithmic=True,
                     x_text=_at)

    return tag("div", *map(line_chart, [
        chart("Validation accuracy", "validation_accuracy", share=True),
        chart("Training accuracy", "accuracy", share=True),
        chart("Validation loss", "validation_loss", share=False),
        chart("Training loss", "loss", share=False),
        chart("Learning rate", "learning_rate", share=False),
    ]), class_="charts")


def _at(step: float) -> str:
    return f"step {quantities.count(int(step))}"


def _settings(comparison: RunComparison) -> Markup:
    if not comparison.settings:
        return tag("p", "Both were configured alike.", class_="none")
    columns = [Column("setting"), *(Column(run.name) for run in comparison.runs)]
    rows = [[tag("code", key), tag("code", a), tag("code", b)]
            for key, a, b in comparison.settings]
    return table(columns, rows)


def _variables(comparison: RunComparison) -> Markup:
    first, second = comparison.runs
    columns = [Column("variable"), Column(f"shape in {first.name}"),
               Column(f"in {second.name}"), Column(f"norm in {first.name}", numeric=True),
               Column(f"in {second.name}", numeric=True), Column("distance", numeric=True)]
    return table(columns, [_variable_row(one) for one in comparison.variables])


def _variable_row(one: ComparedVariable) -> list[Child]:
    shapes = [shape or tag("span", "absent", class_="bad") for shape in one.shapes]
    return [tag("code", one.name), *shapes, *map(quantities.number, one.norms),
            quantities.number(one.distance)]


def _environment(runs: Sequence[ComparedRun]) -> Markup:
    names = dict.fromkeys(name for run in runs for name in run.environment)
    columns = [Column(""), *(Column(run.name) for run in runs)]
    return table(columns, [[name, *(run.environment.get(name, quantities.MISSING) for run in runs)]
                           for name in names])


def compare_lines(comparison: RunComparison) -> list[str]:
    """Figures and settings for a terminal; no line is broken."""
    console = Console(file=io.StringIO(), width=_UNBROKEN, color_system=None)
    with console.capture() as captured:
        console.print(_table("figure", comparison, metric_rows(comparison), "difference"))
        if comparison.settings:
            console.print()
            console.print(_table("setting", comparison, comparison.settings))
    return [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]


def _table(
    title: str, comparison: RunComparison, rows: Sequence[Sequence[str]], *more: str
) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in (title, *(run.name for run in comparison.runs), *more):
        made.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made
