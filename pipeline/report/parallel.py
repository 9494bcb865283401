"""Parallel coordinates: an axis for each thing that was varied, one for what came of it.

A line is one setting, joining its values; as inline SVG that needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.report import quantities
from pipeline.report.axis import Axis, around
from pipeline.report.markup import Markup, tag

_WIDTH, _HEIGHT = 960.0, 300.0                 # of the viewBox
_LEFT, _RIGHT, _TOP, _BOTTOM = 96.0, 880.0, 34.0, 284.0
_CATEGORIES = 14                               # labels of a categorical axis that can be read
_LINE = 14.0                                   # between two labels


@dataclass(frozen=True)
class Dimension:
    """One axis: `values` are all lines' in their order, as they were given; None is a gap."""

    title: str
    values: Sequence[str | float | None]
    text: Callable[[float], str] = quantities.short

    @cached_property
    def numbers(self) -> list[float | None] | None:
        """The values as numbers; None when one of them is something else."""
        found: list[float | None] = []
        for value in self.values:
            try:
                number = None if value is None else float(value)
            except ValueError:
                return None
            found.append(number if number is not None and math.isfinite(number) else None)
        return found

    @cached_property
    def categories(self) -> list[str]:
        """The distinct values in the order they occur."""
        return list(dict.fromkeys(str(value) for value in self.values if value is not None))

    @cached_property
    def _axis(self) -> Axis:
        numbers = [number for number in self.numbers or () if number is not None]
        return around(numbers, may_be_logarithmic=True)

    def y(self, line: int) -> float | None:
        """Where a line crosses this axis."""
        if self.numbers is not None:
            number = self.numbers[line]
            return None if number is None else self._down(self._axis.position(number))
        value = self.values[line]
        return None if value is None else self._category(self.categories.index(str(value)))

    def ticks(self) -> list[tuple[float, str]]:
        """Positions and labels: the values themselves where they are few and apart."""
        if self.numbers is None:
            return [(self._category(k), label) for k, label in enumerate(self.categories)
                    if len(self.categories) <= _CATEGORIES]
        distinct = sorted({number for number in self.numbers if number is not None})
        shown = distinct if len(distinct) <= 6 else self._axis.ticks()
        ticks: list[tuple[float, str]] = []
        for value in shown:
            y = self._down(self._axis.position(value))
            if not ticks or ticks[-1][0] - y >= _LINE:
                ticks.append((y, self.text(value)))
        return ticks

    def _category(self, index: int) -> float:
        return self._down((index + 0.5) / len(self.categories))

    @staticmethod
    def _down(position: float) -> float:
        return round(_BOTTOM - position * (_BOTTOM - _TOP), 1)


def parallel_coordinates(
    dimensions: Sequence[Dimension], names: Sequence[str], strengths: Sequence[float]
) -> Markup:
    """The figure; the first line is the best and lies on top.

    Args:
        dimensions: two or more, from left to right.
        names: of the lines, told when the pointer rests on one.
        strengths: between 0 and 1, how strongly each line is drawn.
    """
    step = (_RIGHT - _LEFT) / (len(dimensions) - 1)
    places = [_LEFT + k * step for k in range(len(dimensions))]
    lines = [_line(dimensions, places, k, names[k], strengths[k])
             for k in reversed(range(len(names)))]
    axes = [_axis(dimension, x, x == _RIGHT)
            for dimension, x in zip(dimensions, places, strict=True)]
    description = "settings over " + ", ".join(dimension.title for dimension in dimensions)
    return tag("figure", tag("svg", tag("g", *lines, class_="lines"), *axes,
                             viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", role="img",
                             aria_label=description), class_="parallel", tabindex=0)


def _line(
    dimensions: Sequence[Dimension], places: Sequence[float], line: int, name: str, strength: float
) -> Markup:
    points = [(x, y) for dimension, x in zip(dimensions, places, strict=True)
              if (y := dimension.y(line)) is not None]
    path = "M" + "L".join(f"{x:g},{y:g}" for x, y in points)
    return tag("path", tag("title", name), d=path, class_="best" if line == 0 else None,
               style=f"--strength:{strength:.2f}")


def _axis(dimension: Dimension, x: float, is_last: bool) -> Markup:
    """Labels on the left, where no line ends; those of the last axis on the right."""
    beside, anchor = (8, "start") if is_last else (-8, "end")
    labels = [tag("text", label, x=x + beside, y=y + 4, text_anchor=anchor)
              for y, label in dimension.ticks()]
    return tag("g", tag("line", x1=x, x2=x, y1=_TOP, y2=_BOTTOM),
               tag("text", dimension.title, x=x, y=_TOP - 16, text_anchor="middle", class_="title"),
               *labels, class_="axis")
