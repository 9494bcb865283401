"""A setting's figure and how its seeds spread about it, on a scale that all settings share.

Inline SVG beside the numbers: a dot for each run, a mark at their mean, a bar of one standard
deviation to both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.report.axis import Axis, around
from pipeline.report.markup import Markup, tag
from pipeline.report.sweep_content import Setting

_WIDTH, _HEIGHT, _EDGE = 112.0, 18.0, 5.0     # of the viewBox; room for a dot at both ends


def shared_scale(settings: Sequence[Setting], metric: str) -> Axis:
    """From the lowest to the highest value that any run has."""
    return around((value for setting in settings for value in setting.values(metric)),
                  may_be_logarithmic="accuracy" not in metric)


def spread(setting: Setting, metric: str, scale: Axis, text: str) -> Markup:
    """The picture of one setting; without a finite figure, none.

    Args:
        setting: with its runs.
        metric: which of their figures.
        scale: from `shared_scale`.
        text: what the figure is, told when the pointer rests on it.
    """
    mean, deviation = setting.mean(metric), setting.deviation(metric)
    if mean is None or not math.isfinite(mean):
        return Markup("")
    middle = _HEIGHT / 2
    marks = [tag("title", text), tag("line", x1=0.0, x2=_WIDTH, y1=middle, y2=middle)]
    if deviation:
        left, right = _x(scale, mean - deviation), _x(scale, mean + deviation)
        marks.append(tag("rect", x=left, y=middle - 4, width=round(right - left, 1), height=8.0))
    marks += [tag("circle", cx=_x(scale, value), cy=middle, r=3.0)
              for value in setting.values(metric)]
    if len(setting.runs) > 1:
        at = _x(scale, mean)
        marks.append(tag("path", d=f"M{at:g},2V{_HEIGHT - 2:g}"))
    return tag("svg", *marks, class_="spread", viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", role="img",
               aria_label=text)


def _x(scale: Axis, value: float) -> float:
    """Where a value lies in the picture; what lies beyond the scale is at its end."""
    position = 0.0 if scale.logarithmic and value <= 0 else scale.position(value)
    inside = min(max(position, 0.0), 1.0)
    return round(_EDGE + inside * (_WIDTH - 2 * _EDGE), 1)
