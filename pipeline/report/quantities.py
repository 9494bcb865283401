"""Numbers as people read them: one way to write each kind, on the page and on the terminal."""

from __future__ import annotations

import math

MISSING = "–"


def percent(fraction: float | None, decimals: int = 2) -> str:
    """0.98412 → "98.41 %"; None and NaN → "–"."""
    if fraction is None or math.isnan(fraction):
        return MISSING
    return f"{100 * fraction:.{decimals}f} %"


def short_percent(fraction: float) -> str:
    """Without digits that say nothing, for ticks: 1.0 → "100 %", 0.975 → "97.5 %"."""
    return f"{100 * fraction:.5g} %"


def number(value: float | None) -> str:
    """Four significant digits, plain where that is short: 0.06931, 1.2e-07, 53,210."""
    if value is None:
        return MISSING
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def short(value: float) -> str:
    """For ticks, few characters wide: 0.25, 8000, 70k, 1.5M, 8e-4."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * unit or (abs(value) >= unit and unit > 1e3):
            return f"{value / unit:.4g}{name}"
    if 0 < abs(value) < 1e-3:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:.4g}"


def count(value: int) -> str:
    """397510 → "397,510"."""
    return f"{value:,}"


def size(octets: int | None) -> str:
    """Bytes in decimal units: 1590040 → "1.59 MB"."""
    if octets is None:
        return MISSING
    if octets < 1000:
        return f"{octets} B"
    value, units = octets / 1000, ["kB", "MB", "GB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.3g} {units[0]}" if value < 1000 else f"{value:,.0f} {units[0]}"


def duration(seconds: float) -> str:
    """0.0421 → "42 ms"; 12.34 → "12.3 s"; 245 → "4 min 05 s"; 4000 → "1 h 07 min"."""
    if not math.isfinite(seconds):
        return MISSING
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"
