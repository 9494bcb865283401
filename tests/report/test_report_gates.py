"""What the gates said, and the trend over scheduled runs, on the page of a run."""

from __future__ import annotations

import json

import pytest
from finished_run import finished_run
from test_report_page import page, section, text

from pipeline.gate import Outcome, Point, Verdict


@pytest.mark.parametrize(("outcomes", "said"), [
    ("passed passed", "✓ 2 of 2 passed"), ("passed investigate", "? 1 of 2 passed"),
    ("failed investigate", "✗ 0 of 2 passed")])
def test_the_header_says_what_the_gates_said(outcomes: str, said: str) -> None:
    verdicts = [Verdict("a", Outcome(outcome), "1", "2") for outcome in outcomes.split()]
    [header] = page(finished_run(verdicts=verdicts)).iter("header")
    assert said in text(header)
    assert "gates" not in text(next(page(finished_run()).iter("header")))


def test_the_trend_shows_the_mean_between_the_least_and_the_greatest_seed() -> None:
    points = [Point(time=f"2026-11-2{k}T03:17:00+00:00", name=f"night {k}", exit_code=3 * (k == 2),
                    git_revision="0123456789abcdef", metrics={"test_accuracy": [0.97, 0.98]})
              for k in (1, 2, 3)]
    trend = section(page(finished_run(trend=points)), "trend")
    assert "3 scheduled runs, the last of them this one; 1 of them did not pass." in text(trend)
    assert "mean over seeds 97.50 %" in text(trend)
    [plot] = [element for element in trend.iter() if element.get("data-plot")]
    [line] = json.loads(str(plot.get("data-plot")))
    assert [point[1] for point in line["points"]] == [
        f"2{k} November 2026, 03:17, 0123456789ab" for k in (1, 2, 3)]
    kinds = [element.get("class") for element in plot.iter()
             if (element.get("class") or "").startswith("series")]
    assert kinds == ["series muted", "series muted", "series s0"]
    ticks = [text(element) for element in plot.iter() if element.get("text-anchor") == "middle"]
    assert ticks == ["1", "2", "3"], "runs are counted"
