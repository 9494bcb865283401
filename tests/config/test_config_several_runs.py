"""A directory of runs, where one run is wanted, says which there are and which is best."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.config.several_runs import several_runs, why_no_run


def runs(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name / ".hydra").mkdir(parents=True)
    return directory


def test_a_run_holds_none(tmp_path: Path) -> None:
    (runs(tmp_path, ".") / "orbax" / "26").mkdir(parents=True)
    assert several_runs(tmp_path) == ""
    assert several_runs(tmp_path / "nowhere") == ""


def test_a_sweep_names_its_best_run(tmp_path: Path) -> None:
    sweep = runs(tmp_path, ".", "0/seed-0", "0/seed-1", "1/seed-0", "1/seed-1", "0", "1")
    (sweep / "sweep.json").write_text(json.dumps({"best": "1/seed-0"}))
    assert several_runs(sweep) == f"a sweep of 4 runs; the best is {sweep}/1/seed-0"


def test_without_a_ranking_the_runs_are_named_in_the_order_of_their_jobs(tmp_path: Path) -> None:
    sweep = runs(tmp_path, ".", *map(str, range(12)))
    for content in (None, "", "[]", '{"best": null}'):
        if content is not None:
            (sweep / "sweep.json").write_text(content)
        assert several_runs(sweep) == "a directory of 12 runs: " + ", ".join(
            f"{sweep}/{number}" for number in range(4)) + ", …"


def test_why_a_path_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert why_no_run(tmp_path).startswith("no run there (no .hydra/config.yaml); give the")
    assert why_no_run(tmp_path / "file").startswith("no run there")
    assert why_no_run(tmp_path / "nowhere").startswith("there is no such directory; give the")
    day = runs(tmp_path / "day", "b", "a")
    assert why_no_run(day) == f"is a directory of 2 runs: {day}/a, {day}/b; give one run"
