"""Line charts: what one shows, where everything lies in it, and the chart as inline SVG.

No script is needed to read the SVG; `page.js` follows the pointer over it. For that a chart carries
its points as JSON in `data-plot`, in the units of the viewBox and with their texts ready.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.report import quantities
from pipeline.report.axis import Axis, around, widened
from pipeline.report.markup import Markup, tag

WIDTH, HEIGHT = 480.0, 240.0                            # of the viewBox
LEFT, RIGHT, TOP, BOTTOM = 52.0, 456.0, 8.0, 214.0      # of the plot inside it
COLOURS = 8               # `page.css` has as many; then they repeat
_POINTS = 300             # of a series that are drawn; more would be finer than a pixel


@dataclass(frozen=True)
class Series:
    """One line: points (x, y) in ascending x. A y that is not finite interrupts it.

    A `muted` line is background: grey, without a place in the legend and under the pointer.
    """

    name: str
    points: Sequence[tuple[float, float]]
    muted: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What one chart shows; `include` are y values that a linear axis must reach."""

    title: str
    series: Sequence[Series]
    text: Callable[[float], str] = quantities.number        # of a y
    tick_text: Callable[[float], str] = quantities.short    # of a y, few characters wide
    x_title: str = "step"                                   # what x counts
    x_text: Callable[[float], str] = quantities.number
    include: Sequence[float] = ()
    may_be_logarithmic: bool = False

    @cached_property
    def lines(self) -> list[Series]:
        """The series that have points, thinned to what can be seen; muted ones last."""
        lines = [Series(line.name, thin(line.points, _POINTS), line.muted)
                 for line in self.series if line.points]
        return sorted(lines, key=lambda line: line.muted)

    @cached_property
    def x_axis(self) -> Axis:
        """From the first to the last point of all series."""
        return around(x for line in self.lines for x, _ in line.points)

    @property
    def x_ticks(self) -> list[float]:
        """Round values on the x axis; steps and runs are counted, so whole ones."""
        return [value for value in self.x_axis.ticks() if value.is_integer()]

    @cached_property
    def y_axis(self) -> Axis:
        """Between round values when linear."""
        return widened(around((y for line in self.lines for _, y in line.points),
                              include=self.include, may_be_logarithmic=self.may_be_logarithmic))

    def x(self, value: float) -> float:
        """Where an x lies in the viewBox."""
        return round(LEFT + self.x_axis.position(value) * (RIGHT - LEFT), 1)

    def y(self, value: float) -> float:
        """Where a finite y lies in the viewBox."""
        return round(BOTTOM - self.y_axis.position(value) * (BOTTOM - TOP), 1)

    def stretches(self, line: Series) -> list[list[tuple[float, float]]]:
        """A line's points in the viewBox, parted where a y is not finite."""
        stretches: list[list[tuple[float, float]]] = [[]]
        for x, y in line.points:
            if math.isfinite(y):
                stretches[-1].append((self.x(x), self.y(y)))
            elif stretches[-1]:
                stretches.append([])
        return [stretch for stretch in stretches if stretch]


def thin(points: Sequence[tuple[float, float]], limit: int) -> list[tuple[float, float]]:
    """At most `limit` points with the same outline: each stretch gives its lowest and highest.

    The first and last points stay, and a stretch with a gap in it keeps a point that is not finite.
    """
    if len(points) <= limit:
        return list(points)
    inner, stretches = points[1:-1], (limit - 2) // 3
    kept = [points[0]]
    for k in range(stretches):
        part = inner[len(inner) * k // stretches:len(inner) * (k + 1) // stretches]
        finite = [point for point in part if math.isfinite(point[1])]
        gap = [point for point in part if not math.isfinite(point[1])][:1]
        ends = [min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])] if finite else []
        kept += sorted({*ends, *gap})
    return [*kept, points[-1]]


def line_chart(chart: Chart) -> Markup:
    """A `<figure>` with title, legend with last values, and plot."""
    plot = tag(
        "svg", _grid(chart), *(_line(chart, index) for index in reversed(range(len(chart.lines)))),
        tag("line", class_="cursor", y1=TOP, y2=BOTTOM, visibility="hidden"),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", aria_label=_description(chart),
        data_plot=json.dumps(_plot_data(chart), separators=(",", ":")),
    )
    keys = [tag("span", tag("i", class_=f"s{index % COLOURS}"), f"{line.name} ",
                tag("b", chart.text(line.points[-1][1])), class_="key")
            for index, line in enumerate(chart.lines) if not line.muted]
    scale = tag("small", "logarithmic") if chart.y_axis.logarithmic else None
    return tag("figure", tag("figcaption", tag("strong", chart.title), scale, *keys),
               plot if chart.lines else tag("p", "no values", class_="none"), class_="chart")


def _grid(chart: Chart) -> Markup:
    parts: list[Markup] = []
    for value in chart.y_axis.ticks():
        y = chart.y(value)
        parts += [tag("line", x1=LEFT, x2=RIGHT, y1=y, y2=y),
                  tag("text", chart.tick_text(value), x=LEFT - 6, y=y + 4, text_anchor="end")]
    parts += [tag("text", quantities.short(value), x=chart.x(value), y=BOTTOM + 20,
                  text_anchor="middle") for value in chart.x_ticks]
    # In the column of the y labels, where no tick of the x axis can come.
    parts.append(tag("text", chart.x_title, x=LEFT - 18, y=BOTTOM + 20, text_anchor="end"))
    return tag("g", *parts, class_="grid")


def _line(chart: Chart, index: int) -> Markup:
    """A path per stretch without gaps; a point that stands alone becomes a dot."""
    parts = []
    colour = "muted" if chart.lines[index].muted else f"s{index % COLOURS}"
    for stretch in chart.stretches(chart.lines[index]):
        if len(stretch) == 1:
            parts.append(tag("circle", cx=stretch[0][0], cy=stretch[0][1], r=3))
        else:
            parts.append(tag("path", d="M" + " ".join(f"{x:g},{y:g}" for x, y in stretch)))
    return tag("g", *parts, class_=f"series {colour}")


def _description(chart: Chart) -> str:
    ends = "; ".join(f"{line.name} from {chart.text(line.points[0][1])} "
                     f"to {chart.text(line.points[-1][1])}"
                     for line in chart.lines if not line.muted)
    return f"{chart.title}: {ends}"


def _plot_data(chart: Chart) -> list[dict[str, object]]:
    return [
        {"name": line.name,
         "points": [[chart.x(x), chart.x_text(x), chart.text(y)] for x, y in line.points]}
        for line in chart.lines if not line.muted
    ]
