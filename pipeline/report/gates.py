"""What the gates said, and how the figures went from run to run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.gate import Verdict, overall
from pipeline.report import quantities
from pipeline.report.chart import Chart, Series, line_chart
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.table import Column, table

if TYPE_CHECKING:
    from pipeline.gate import Point

_MARKS = {"passed": ("✓ passed", "good"), "investigate": ("? investigate", "unsure"),
          "failed": ("✗ failed", "bad")}
_LATEST = 200             # points of a trend that are drawn


def gate_table(verdicts: Sequence[Verdict]) -> Markup:
    """One row a gate: what was found, what was expected."""
    if not verdicts:
        return tag("p", "Nothing was judged.", class_="none")
    columns = [Column("gate"), Column("found"), Column("expected"), Column("verdict")]
    rows = [[tag("code", verdict.name), verdict.found, verdict.expected, _mark(verdict)]
            for verdict in verdicts]
    return table(columns, rows, class_="gates")


def gate_count(verdicts: Sequence[Verdict]) -> Markup:
    """How many gates passed, in the colour of the worst."""
    passed = sum(verdict.outcome == "passed" for verdict in verdicts)
    mark, class_ = _MARKS[overall(verdicts)]
    return tag("span", f"{mark[0]} {passed} of {len(verdicts)} passed", class_=class_)


def _mark(verdict: Verdict) -> Markup:
    text, class_ = _MARKS[verdict.outcome]
    detail: Child = tag("small", verdict.detail) if verdict.detail else None
    return tag("span", tag("span", text, class_=class_), detail, class_="verdict")


def trend_charts(points: Sequence[Point]) -> Markup:
    """One chart a metric over the scheduled runs, oldest first; the last point is this run's."""
    shown = points[-_LATEST:]
    names = dict.fromkeys(name for point in shown for name in point.metrics)
    caption = f"{quantities.count(len(points))} scheduled runs, the last of them this one"
    if len(shown) < len(points):
        caption += f"; the latest {len(shown)} are drawn"
    failed = sum(point.exit_code != 0 for point in shown)
    if failed:
        caption += f"; {failed} of them did not pass"
    charts = [line_chart(_trend_chart(name, shown)) for name in names]
    return join([tag("p", caption + ".", class_="caption"), tag("div", *charts, class_="charts")])


def _trend_chart(name: str, points: Sequence[Point]) -> Chart:
    def at(index: float) -> str:
        point = points[int(index) - 1]
        revision = f", {point.git_revision[:12]}" if point.git_revision else ""
        return f"{point.moment:%d %B %Y, %H:%M}{revision}{'+' if point.dirty else ''}"

    share = "accuracy" in name
    measured = [(float(k), point.metrics[name])
                for k, point in enumerate(points, start=1) if point.metrics.get(name)]
    seeds = any(len(values) > 1 for _, values in measured)
    lines = [Series("mean over seeds" if seeds else "value",
                    [(k, statistics.fmean(values)) for k, values in measured])]
    if seeds:    # between the least and the greatest is what chance does
        lines += [Series(edge.__name__, [(k, edge(values)) for k, values in measured], muted=True)
                  for edge in (min, max)]
    return Chart(
        title=name.replace("_", " ").replace("durations.", "seconds: "), series=lines,
        text=quantities.percent if share else quantities.number,
        tick_text=quantities.short_percent if share else quantities.short,
        x_title="run", x_text=at)
