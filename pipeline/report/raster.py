"""The page's charts as one PNG, for places that show no HTML.

Drawn with Pillow from the same layout as the SVG: importing and running matplotlib takes 1.5 s, a
tenth of the whole default run, and it leaves a font cache outside the run's directory.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from pipeline.report import quantities
from pipeline.report.chart import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, WIDTH, Chart

_PAPER, _INK, _SOFT, _LINE = "#ffffff", "#1b1f24", "#5c6670", "#dfe3e7"
_SERIES = ("#2458a6", "#c2591a", "#14703c", "#8a3ca0", "#0f7c8a", "#a3273f", "#6b6f1d", "#5b5bd6")
_SCALE = 2                # pixels for a unit of the viewBox
_FINER = 2                # lines are drawn this much larger still, and reduced: smooth edges
_CAPTION, _MARGIN = 26, 12    # above a plot, around it; in units of the viewBox


def draw_png(charts: Sequence[Chart]) -> bytes:
    """The charts, two in a row, as the bytes of a PNG."""
    rows = math.ceil(len(charts) / 2)
    cell_width, cell_height = int(WIDTH) + _MARGIN, int(HEIGHT) + _CAPTION + _MARGIN
    width, height = 2 * cell_width + _MARGIN, rows * cell_height + _MARGIN
    fine = _SCALE * _FINER
    canvas = Image.new("RGB", (width * fine, height * fine), _PAPER)
    places = [(_MARGIN + k % 2 * cell_width, _MARGIN + _CAPTION + k // 2 * cell_height)
              for k in range(len(charts))]
    for chart, (left, top) in zip(charts, places, strict=True):
        _draw_lines(_Pen(canvas, left, top, fine), chart)
    canvas = canvas.reduce(_FINER)
    for chart, (left, top) in zip(charts, places, strict=True):
        _draw_texts(_Pen(canvas, left, top, _SCALE), chart)
    content = io.BytesIO()
    canvas.save(content, "PNG")
    return content.getvalue()


class _Pen:
    """Draws in the units of one chart's viewBox."""

    def __init__(self, canvas: Image.Image, left: float, top: float, scale: int) -> None:
        self._draw = ImageDraw.Draw(canvas)
        self._left, self._top, self._scale = left, top, scale

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        self._draw.line([self._at(x, y) for x, y in points], colour,
                        round(width * self._scale), joint="curve")

    def dot(self, point: tuple[float, float], colour: str) -> None:
        self._draw.circle(self._at(*point), 3 * self._scale, colour)

    def text(self, x: float, y: float, text: str, colour: str, anchor: str, size: float) -> float:
        """Writes, and says at which x the text ends."""
        font = ImageFont.load_default(size * self._scale)
        self._draw.text(self._at(x, y), text, colour, font, anchor)
        return x + font.getlength(text) / self._scale

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (self._left + x) * self._scale, (self._top + y) * self._scale


def _draw_lines(pen: _Pen, chart: Chart) -> None:
    for value in chart.y_axis.ticks():
        pen.line([(LEFT, chart.y(value)), (RIGHT, chart.y(value))], _LINE, 1)
    for index, line in enumerate(chart.lines):
        colour = _SERIES[index % COLOURS]
        for stretch in chart.stretches(line):
            if len(stretch) == 1:
                pen.dot(stretch[0], colour)
            else:
                pen.line(stretch, colour, 1.8)


def _draw_texts(pen: _Pen, chart: Chart) -> None:
    for value in chart.y_axis.ticks():
        pen.text(LEFT - 6, chart.y(value), chart.tick_text(value), _SOFT, "rm", 11.5)
    for value in chart.x_axis.ticks():
        pen.text(chart.x(value), BOTTOM + 8, quantities.short(value), _SOFT, "mt", 11.5)
    end = pen.text(0, -14, chart.title, _INK, "lm", 15)
    if chart.y_axis.logarithmic:
        end = pen.text(end + 12, -14, "logarithmic", _SOFT, "lm", 12)
    for index, line in enumerate(chart.lines):
        legend = f"{line.name} {chart.text(line.points[-1][1])}"
        end = pen.text(end + 16, -14, legend, _SERIES[index % COLOURS], "lm", 12)
