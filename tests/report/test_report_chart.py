from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_report_markup import HOSTILE, Reader

from pipeline.report.chart import BOTTOM, LEFT, RIGHT, TOP, Chart, Series, line_chart, thin
from pipeline.report.raster import draw_png

NAN = math.nan
Y = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([NAN, math.inf]))


def chart(*points: tuple[float, float], **options) -> Chart:
    return Chart(title="Loss", series=[Series("training", points)], **options)


def paths(figure: str) -> list[str]:
    return [attributes["d"] for name, attributes in Reader(figure).elements if name == "path"]


@given(st.lists(Y, max_size=400), st.integers(5, 60))
def test_a_thinned_series_keeps_its_outline(ys: list[float], limit: int) -> None:
    points = [(float(x), y) for x, y in enumerate(ys)]
    kept = thin(points, limit)
    assert len(kept) <= limit or len(points) <= limit
    assert [x for x, _ in kept] == sorted({x for x, _ in kept})
    assert set(map(str, kept)) <= set(map(str, points))
    finite = [y for y in ys if math.isfinite(y)]
    shown = [y for _, y in kept if math.isfinite(y)]
    assert (min(shown, default=0), max(shown, default=0)) == (
        min(finite, default=0), max(finite, default=0))
    assert any(not math.isfinite(y) for _, y in kept) == (len(finite) < len(ys))
    assert str(kept[:1] + kept[-1:]) == str(points[:1] + points[-1:])


def test_lines_stay_within_the_plot() -> None:
    [path] = paths(line_chart(chart((1, 0.2), (2, 4.0), (3, -1.0))))
    at = np.array([pair.split(",") for pair in path[1:].split()], float)
    assert (at[:, 0].min(), at[:, 0].max()) == (LEFT, RIGHT)
    assert (at[:, 1] >= TOP).all()
    assert (at[:, 1] <= BOTTOM).all()
    assert at[1, 1] < at[0, 1] < at[2, 1], "larger values lie higher"


def test_a_gap_parts_the_line_and_a_lone_point_is_a_dot() -> None:
    ys = [1.0, 2.0, NAN, 3.0, math.inf, 1.0, 2.0]
    figure = line_chart(chart(*enumerate(ys)))
    assert len(paths(figure)) == 2
    assert figure.count("<circle") == 1


def test_a_single_point_is_a_dot() -> None:
    figure = line_chart(chart((550, 0.3)))
    assert not paths(figure)
    assert figure.count("<circle") == 1


@pytest.mark.parametrize("series", [[], [Series("validation", [])]])
def test_without_points_it_says_so(series: list[Series]) -> None:
    figure = line_chart(Chart(title="Loss", series=series))
    assert "no values" in figure
    assert "<svg" not in figure


def test_only_values_that_are_not_finite_still_make_a_chart() -> None:
    figure = line_chart(chart((1, NAN), (2, NAN)))
    assert not paths(figure)
    assert "NaN" in Reader(figure).text


def test_a_falling_loss_is_shown_logarithmically() -> None:
    figure = line_chart(chart((1, 2.3), (2, 0.2), (3, 0.02), may_be_logarithmic=True))
    assert "logarithmic" in Reader(figure).text
    [path] = paths(figure)
    heights = [float(pair.split(",")[1]) for pair in path[1:].split()]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], rel=0.1)


def test_the_pointer_gets_every_point_with_its_texts() -> None:
    figure = line_chart(chart((1, 0.5), (2, NAN), x_text=lambda x: f"step {x:g}"))
    [data] = [json.loads(a["data-plot"]) for name, a in Reader(figure).elements if name == "svg"]
    assert data == [{"name": "training",
                     "points": [[LEFT, "step 1", "0.5"], [RIGHT, "step 2", "NaN"]]}]


def test_hostile_names_stay_text() -> None:
    figure = line_chart(Chart(title=HOSTILE, series=[Series(HOSTILE, [(1, 1.0), (2, 2.0)])]))
    reader = Reader(figure)
    assert "img" not in {name for name, _ in reader.elements}
    assert reader.text.count(HOSTILE) == 2


def test_many_series_take_turns_with_the_colours() -> None:
    figure = line_chart(Chart(title="Sweep", series=[
        Series(str(k), [(1, k), (2, k + 1)]) for k in range(10)]))
    assert figure.count('class="series s0"') == figure.count('class="series s1"') == 2


def test_the_picture_shows_each_series_in_its_colour() -> None:
    two = [Series("a", [(1, 1.0), (2, 2.0)]), Series("b", [(1, 2.0)])]
    drawn = Image.open(io.BytesIO(draw_png([
        chart((1, 1.0), (2, 3.0)), Chart(title="Accuracy", series=two)])))
    colours = {colour for _, colour in drawn.getcolors(1 << 24)}
    first, second = (31, 119, 180, 255), (255, 127, 14, 255)   # of matplotlib's cycle
    assert {first, second, (255, 255, 255, 255)} <= colours
    assert drawn.width > 2 * drawn.height
