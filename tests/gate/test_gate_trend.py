"""The trend file: appended durably, read in spite of a torn line."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest
from gate_records import record

from pipeline import gate
from pipeline.gate import Point

NOW = datetime(2026, 11, 23, 3, 17, tzinfo=UTC)


def points(count: int) -> list[Point]:
    return [gate.trend_point(f"run{k}", NOW, 0, [record(seed=k)]) for k in range(count)]


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "trend.jsonl"
    assert gate.load_trend(path) == []
    for point in points(3):
        gate.append_to_trend(path, point)
    assert gate.load_trend(path) == points(3)
    assert len(path.read_text().splitlines()) == 3


def test_a_point_holds_a_value_for_each_seed_and_none_for_a_crash() -> None:
    both = gate.trend_point("n", NOW, 0, [record(test_accuracy=0.5), record(test_accuracy=0.7)])
    assert both.metrics["test_accuracy"] == [0.5, 0.7]
    assert both.git_revision == "0123456789ab"
    assert both.moment == NOW
    crash = gate.trend_point("n", NOW, 1, [])
    assert (crash.exit_code, crash.metrics) == (1, {})


def test_a_line_torn_by_a_crash_costs_that_line_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trend.jsonl"
    first, second = points(2)
    gate.append_to_trend(path, first)
    with path.open("a") as file:
        file.write('{"time": "2026-')
    gate.append_to_trend(path, second)
    assert gate.load_trend(path) == [first, second]
    assert "line 2" in caplog.text


def test_of_a_run_that_was_resumed_or_judged_again_the_last_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "trend.jsonl"
    first, second = points(2)
    for point in (replace(first, exit_code=75), second, first):
        gate.append_to_trend(path, point)
    assert gate.load_trend(path) == [first, second]
    again = replace(first, exit_code=3)
    assert gate.trend_with(path, again) == [second, again]


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a\nb\n")
    with pytest.raises(gate.GateError, match=r"notes\.txt: none of its 2 lines"):
        gate.load_trend(path)


def _append_many(path: Path) -> None:
    for point in points(20):
        gate.append_to_trend(path, point)


def test_processes_never_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "trend.jsonl"
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(_append_many, [path] * 3))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["name"] for line in lines) == sorted(3 * [one.name for one in points(20)])
