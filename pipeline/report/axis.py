"""One axis of a chart: its range, its ticks at round values, and where a value lies on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_DECADES_TO_SHOW = 1.3    # the range from which a logarithmic axis shows more than a linear one


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, which are finite and differ; positive both when logarithmic."""

    low: float
    high: float
    logarithmic: bool = False

    def position(self, value: float) -> float:
        """Where a finite value lies: 0 at `low`, 1 at `high`, not clipped."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return (at - low) / (high - low)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values on the axis, ascending, about as many as `wanted`."""
        return self._decades(wanted) if self.logarithmic else self._multiples(wanted)

    def _multiples(self, wanted: int) -> list[float]:
        step = _round_step((self.high - self.low) / wanted)
        first, slack = math.ceil(self.low / step - 1e-9), step * 1e-9
        values = (step * k for k in range(first, first + 4 * wanted))
        return [_tidy(value, step) for value in values if value <= self.high + slack]

    def _decades(self, wanted: int) -> list[float]:
        bottom, top = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        multiples = (1, 2, 5) if top - bottom <= 2 else (1, 3) if top - bottom <= 3 else (1,)
        stride = max(1, math.ceil((top - bottom) / (wanted + 1)))
        values = (float(f"{multiple}e{decade}")
                  for decade in range(bottom, top + 1, stride) for multiple in multiples)
        return [v for v in values if self.low * (1 - 1e-9) <= v <= self.high * (1 + 1e-9)]


def around(
    values: Iterable[float], *, include: Iterable[float] = (), may_be_logarithmic: bool = False
) -> Axis:
    """The axis that shows all finite `values` and the linear range's `include`.

    It is logarithmic when that is allowed and all values are positive and far apart.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Axis(0.0, 1.0)
    low, high = min(finite), max(finite)
    if may_be_logarithmic and low > 0 and math.log10(high) - math.log10(low) > _DECADES_TO_SHOW:
        return Axis(low / 1.1, min(high * 1.1, 1e308), logarithmic=True)
    low, high = min([low, *include]), max([high, *include])
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = abs(low) / 100 or 1.0
        return Axis(low - margin, high + margin)
    return Axis(low, high)


def widened(axis: Axis) -> Axis:
    """The same axis up to the round values just outside it, when it is linear."""
    if axis.logarithmic:
        return axis
    step = _round_step((axis.high - axis.low) / 5)
    low, high = math.floor(axis.low / step + 1e-9), math.ceil(axis.high / step - 1e-9)
    return Axis(low * step, high * step)


def _round_step(rough: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return magnitude * min(_STEPS, key=lambda step: abs(math.log(step * magnitude / rough)))


def _tidy(value: float, step: float) -> float:
    """Without the last bits that `step · k` leaves: 0.30000000000000004 → 0.3."""
    return round(value, max(0, 2 - math.floor(math.log10(step))))
