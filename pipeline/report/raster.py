"""The page's charts as one PNG, for places that show no HTML; by matplotlib, imported late."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.report.chart import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLOT = (6.0, 3.2)        # inches of one chart
_DPI = 150


def draw_png(charts: Sequence[Chart]) -> bytes:
    """The charts, two in a row, as the bytes of a PNG."""
    # Without pyplot, which would pick a window system and keep every figure alive.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = math.ceil(len(charts) / 2)
    figure = Figure(figsize=(2 * _PLOT[0], rows * _PLOT[1]), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for place, chart in enumerate(charts, start=1):
        _draw(figure.add_subplot(rows, 2, place), chart)
    content = io.BytesIO()
    # Without a date or a version in it, the same run gives the same bytes.
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def _draw(axes: Axes, chart: Chart) -> None:
    axes.set_title(chart.title, loc="left", fontweight="bold")
    axes.set_xlabel(chart.x_title)
    for line in chart.lines:
        steps, values = zip(*line.points, strict=True)
        marker = "o" if len(steps) == 1 else None
        label = f"{line.name} {chart.text(values[-1])}"
        axes.plot(steps, values, label=label, marker=marker, markersize=4)
    if chart.y_axis.logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(chart.y_axis.low, chart.y_axis.high)
    axes.yaxis.set_major_formatter(lambda value, _: chart.tick_text(value))
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if chart.lines:
        axes.legend(frameon=False)
