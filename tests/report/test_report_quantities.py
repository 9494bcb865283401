from __future__ import annotations

import pytest

from pipeline.report import quantities


@pytest.mark.parametrize(("write", "value", "text"), [
    (quantities.percent, 0.98412, "98.41 %"),
    (quantities.percent, 1.0, "100.00 %"),
    (quantities.percent, None, "–"),
    (quantities.percent, float("nan"), "–"),
    (quantities.short_percent, 1.0, "100 %"),
    (quantities.short_percent, 0.975, "97.5 %"),
    (quantities.number, 0.0, "0"),
    (quantities.number, 0.0693147, "0.06931"),
    (quantities.number, 1.1920929e-07, "1.19e-07"),
    (quantities.number, -63614.4, "-63,614"),
    (quantities.number, 2.5e9, "2.5e+09"),
    (quantities.number, float("nan"), "NaN"),
    (quantities.number, float("-inf"), "−∞"),
    (quantities.number, None, "–"),
    (quantities.short, 0.25, "0.25"),
    (quantities.short, 0.001, "0.001"),
    (quantities.short, 0.0008, "8e-4"),
    (quantities.short, -1.25e-7, "-1.25e-7"),
    (quantities.short, 8000.0, "8000"),
    (quantities.short, 70_000.0, "70k"),
    (quantities.short, 1.5e6, "1.5M"),
    (quantities.count, 397_510, "397,510"),
    (quantities.size, 999, "999 B"),
    (quantities.size, 1_590_040, "1.59 MB"),
    (quantities.size, 999_900, "1 MB"),
    (quantities.size, 5_000_000_000_000, "5,000 GB"),
    (quantities.duration, 0.0421, "42 ms"),
    (quantities.duration, 0.9999, "1.0 s"),
    (quantities.duration, 12.34, "12.3 s"),
    (quantities.duration, 59.97, "1 min 00 s"),
    (quantities.duration, 245.0, "4 min 05 s"),
    (quantities.duration, 3599.9, "1 h 00 min"),
    (quantities.duration, 4000.0, "1 h 07 min"),
    (quantities.duration, float("nan"), "–"),
])
def test_numbers_are_written_as_people_read_them(write, value, text) -> None:
    assert write(value) == text
