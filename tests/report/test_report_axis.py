from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.axis import Axis, around, widened

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=32)
VALUES = st.lists(FLOATS, min_size=1, max_size=20)


@given(VALUES, st.booleans())
def test_every_finite_value_lies_on_the_axis(values: list[float], logarithmic: bool) -> None:
    axis = widened(around(values, may_be_logarithmic=logarithmic))
    assert axis.low < axis.high
    for value in filter(math.isfinite, values):
        assert -1e-6 <= axis.position(value) <= 1 + 1e-6


@given(VALUES, st.booleans())
def test_ticks_are_few_ascending_and_on_the_axis(values: list[float], logarithmic: bool) -> None:
    axis = widened(around(values, may_be_logarithmic=logarithmic))
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))
    assert all(-1e-6 <= axis.position(tick) <= 1 + 1e-6 for tick in ticks)


def test_ticks_are_round() -> None:
    assert Axis(0.0, 0.8).ticks() == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert Axis(0.91, 1.0).ticks() == [0.92, 0.94, 0.96, 0.98, 1.0]
    assert Axis(550, 30_250).ticks() == [5000, 10_000, 15_000, 20_000, 25_000, 30_000]
    assert Axis(0.03, 2.4, logarithmic=True).ticks() == [0.03, 0.1, 0.3, 1.0]


def test_an_axis_is_logarithmic_only_where_it_shows_more() -> None:
    assert around([0.02, 2.0], may_be_logarithmic=True).logarithmic
    assert not around([0.02, 2.0]).logarithmic
    assert not around([0.2, 2.0], may_be_logarithmic=True).logarithmic
    assert not around([0.0, 2.0], may_be_logarithmic=True).logarithmic


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf]])
def test_without_values_there_still_is_an_axis(values: list[float]) -> None:
    assert around(values) == Axis(0.0, 1.0)


def test_one_value_lies_in_the_middle() -> None:
    assert around([5.0]).position(5.0) == pytest.approx(0.5)
    assert around([0.0]).position(0.0) == pytest.approx(0.5)
    assert widened(around([0.9775, 0.9775])).high < 1, "no share above the whole"


def test_wanted_values_are_reached() -> None:
    assert around([0.4, 0.8], include=[0.0]) == Axis(0.0, 0.8)
