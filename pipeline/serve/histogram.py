"""How a variable's numbers are distributed, as inline SVG."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.report import quantities
from pipeline.report.axis import Axis
from pipeline.report.markup import Markup, tag

_WIDTH, _HEIGHT, _BOTTOM = 480.0, 150.0, 126.0
_BINS = 48
_SMALL = 24    # bins of a histogram inside a line of text


def histogram(values: NDArray[Any], name: str) -> Markup:
    """Counts of the finite values over their range, with an axis; a bin tells its own count."""
    counts, edges = _counts(values, _BINS)
    axis = Axis(float(edges[0]), float(edges[-1]))
    bars = [
        tag("rect", tag("title", f"{quantities.number(low)} to {quantities.number(high)}: "
                                 f"{quantities.count(int(count))}"),
            x=_x(axis, low), width=round(max(_x(axis, high) - _x(axis, low) - 1, 0.5), 2),
            y=round(_BOTTOM - height, 2), height=round(height, 2))
        for count, low, high, height in zip(
            counts, edges[:-1].tolist(), edges[1:].tolist(), _heights(counts, _BOTTOM - 6),
            strict=True)
    ]
    ticks = [tag("text", quantities.short(value), x=_x(axis, value), y=_BOTTOM + 16,
                 text_anchor="middle") for value in axis.ticks(6)]
    line = tag("line", x1=0, x2=_WIDTH, y1=_BOTTOM, y2=_BOTTOM)
    return tag("svg", tag("g", *bars, class_="bins"), tag("g", line, *ticks, class_="grid"),
               viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", role="img", class_="histogram",
               aria_label=f"Histogram of {name}: {_range(edges)}")


def sparkline(values: NDArray[Any]) -> Markup:
    """The same in a line's height, without words."""
    counts, edges = _counts(values, _SMALL)
    bars = [tag("rect", x=4 * k, width=3, y=round(20 - height, 2), height=round(height, 2))
            for k, height in enumerate(_heights(counts, 20))]
    return tag("svg", tag("g", *bars, class_="bins"), viewBox=f"0 0 {4 * _SMALL - 1} 20",
               role="img", class_="sparkline", aria_label=f"Histogram, {_range(edges)}")


def _counts(
    values: NDArray[Any], bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    flat = np.asarray(values, np.float64).ravel()
    counts, edges = np.histogram(flat[np.isfinite(flat)], bins)
    return counts.astype(np.int64), edges


def _heights(counts: NDArray[np.int64], tallest: float) -> list[float]:
    most = max(int(counts.max(initial=0)), 1)
    return [tallest * int(count) / most for count in counts]


def _x(axis: Axis, value: float) -> float:
    return round(8 + axis.position(value) * (_WIDTH - 16), 2)


def _range(edges: NDArray[np.float64]) -> str:
    return f"from {quantities.number(float(edges[0]))} to {quantities.number(float(edges[-1]))}"
