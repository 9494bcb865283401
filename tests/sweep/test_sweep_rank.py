"""From what lies in a directory to a ranking, a table, files for programs and an exit code."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from sweep_directory import NOW, leave

from pipeline import gate, report
from pipeline.gate import ExitCode
from pipeline.report import SweepRun
from pipeline.report.sweep_summary import sweep_summary
from pipeline.sweep import outcome
from pipeline.sweep.collect import collect, told
from pipeline.sweep.conclude import conclude, load_sweep


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    """Three settings, two of them over two seeds, one that fails; and one that is NaN."""
    for number, (value, seed, accuracy) in enumerate(
            [("0.1", 0, 0.80), ("0.1", 1, 0.82), ("0.01", 0, 0.90), ("0.01", 1, 0.94)]):
        leave(tmp_path / str(number), number, [f"lr={value}", "model=mlp", f"seed={seed}"],
              seed=seed, accuracy=accuracy)
    leave(tmp_path / "4", 4, ["lr=-1", "model=mlp", "seed=0"], code=ExitCode.FAILED,
          error="lr=-1: too small\nreally")
    leave(tmp_path / "5", 5, ["lr=9", "model=mlp", "seed=0"], accuracy=None)
    return tmp_path


def test_settings_are_ranked_by_their_means_over_seeds(swept: Path) -> None:
    settings = load_sweep(swept).settings
    assert [one.overrides["lr"] for one in settings] == ["0.01", "0.1", "-1", "9"]
    best = settings[0]
    assert best.score == pytest.approx(0.92)
    assert best.deviation("validation_accuracy") == pytest.approx(0.0282842712)
    assert [run.number for run in best.runs] == [2, 3]
    assert [one.is_ranked for one in settings] == [True, True, False, False]


def test_the_other_direction_turns_the_ranking(tmp_path: Path) -> None:
    config = ["sweep.direction=min", "sweep.metric=validation_accuracy"]
    for number, accuracy in enumerate([0.3, 0.1, 0.2]):
        leave(tmp_path / str(number), number, [f"a={number}"], accuracy=accuracy, config=config)
    assert [one.overrides["a"] for one in load_sweep(tmp_path).settings] == ["1", "2", "0"]


def test_one_table_ends_it(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(load_sweep(swept)) is ExitCode.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "lr"
    assert "model" not in lines[0], "what never varied has no column"
    assert lines[1].startswith("best")
    assert "92.00 ± 2.83 %" in lines[1]
    assert "failed  4: lr=-1: too small" in lines
    assert "6 runs, 1 failed" in "\n".join(lines)
    assert str(swept / "sweep.html") in lines[-1]
    assert not any("\x1b" in line for line in lines)


def test_programs_get_json_csv_and_junit(swept: Path) -> None:
    conclude(load_sweep(swept))

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    record = json.loads((swept / "sweep.json").read_text(), parse_constant=refuse)
    assert (record["best"], record["exit_code"], record["metric"]) == ("2", 1,
                                                                     "validation_accuracy")
    assert record["varied"] == {"lr": ["0.01", "0.1", "-1", "9"]}
    assert [one["rank"] for one in record["settings"]] == [1, 2, None, None]
    rows = list(csv.DictReader(io.StringIO((swept / "sweep.csv").read_text())))
    assert [row["job"] for row in rows] == ["2", "3", "0", "1", "4", "5"]
    assert rows[4]["error"] == "lr=-1: too small\nreally"
    [suite] = ElementTree.parse(swept / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("6", "1")
    gate.require_manifest(swept)


def test_the_page_says_it_all_and_escapes_what_it_says(swept: Path) -> None:
    leave(swept / "6", 6, ["lr=<b>&", "model=mlp"], code=ExitCode.FAILED,
          error="<script>x</script>")
    conclude(load_sweep(swept))
    page = (swept / "sweep.html").read_text()
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert 'href="2/report.html"' in page
    assert page.count('class="chart"') == 4
    assert 'class="parallel"' in page
    assert "Traceback" in page
    assert "http" not in page.replace("http-equiv", ""), "self-contained: nothing is fetched"


def test_the_page_draws_each_seed_beside_its_setting(swept: Path) -> None:
    conclude(load_sweep(swept))
    page = (swept / "sweep.html").read_text()
    pictures = re.findall(r'<svg class="spread".*?</svg>', page)
    assert [picture.count("<circle") for picture in pictures] == [2, 2], "the finite ones"
    assert all("<rect" in picture for picture in pictures), "and their standard deviation"
    lowest, highest = (re.findall(r'cx="([\d.]+)"', picture) for picture in reversed(pictures))
    assert max(map(float, lowest)) < min(map(float, highest))


def test_values_that_a_search_chose_are_shortened_and_kept_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["0.07180374727086954", "0.05494343511669279", "0.05494343511669"]
    for number, value in enumerate(chosen):
        leave(tmp_path / str(number), number, [f"lr={value}"], accuracy=0.9 - number / 10)
    conclude(load_sweep(tmp_path))
    assert "0.0718037 " in capsys.readouterr().out
    page = (tmp_path / "sweep.html").read_text()
    assert page.count(">0.05494</text>") == 1, "two labels would lie on each other"
    assert 'class="effects"' not in page, "each value has one setting: the ranking says it"
    assert json.loads((tmp_path / "sweep.json").read_text())["varied"] == {"lr": chosen}


def test_what_was_stopped_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path / "0", 0, ["a=0"])
    leave(tmp_path / "1", 1, ["a=1"], code=ExitCode.RESUMABLE)
    assert conclude(load_sweep(tmp_path)) is ExitCode.RESUMABLE
    out = capsys.readouterr().out
    assert "resumable  1: asked to stop; sweep.resume goes on with it" in out
    assert "2 runs, 0 failed, 1 unfinished" in out
    page = (tmp_path / "sweep.html").read_text()
    assert "sweep.resume goes on with them" in page
    assert "no such metric" not in out


def test_a_baseline_judges_the_seeds_that_are_there(tmp_path: Path) -> None:
    file = tmp_path.parent / f"{tmp_path.name}-base.json"
    file.write_text(json.dumps({"metrics": {"test_accuracy": [0.9, 0.9, 0.9]},
                                "config_hash": "c0ffee", "git_revision": None}))
    gates = [f"gate.baseline={{file: '{file}', max_drop: {{test_accuracy: 0.01}}}}"]
    leave(tmp_path / "0", 0, ["a=0", "seed=0"], seed=0, config=gates)
    leave(tmp_path / "1", 1, ["a=0", "seed=1"], seed=1, config=gates, code=ExitCode.RESUMABLE)
    assert load_sweep(tmp_path).best[0]["test_accuracy"] == 0.9
    assert conclude(load_sweep(tmp_path)) is ExitCode.RESUMABLE


def test_seeds_of_one_job_are_told_in_one_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        leave(tmp_path / "7" / f"seed-{seed}", 7, ["a=0"], seed=seed)
    conclude(load_sweep(tmp_path))
    assert capsys.readouterr().out.splitlines()[1].endswith("7/seed-0…2")


def test_a_job_that_died_without_a_word_is_told_of(swept: Path) -> None:
    (swept / "3" / "outcome.json").unlink()
    found = {one.outcome.number: one for one in collect(swept)}
    assert found[3].outcome.ending.exit_code is ExitCode.FAILED
    assert "did not end" in found[3].outcome.ending.error
    assert found[3].outcome.overrides == ("lr=0.01", "model=mlp", "seed=1")
    assert len(found) == 6


def test_seeds_of_a_job_are_runs_of_their_own(tmp_path: Path) -> None:
    for number, value in enumerate(["a", "b"]):
        job = tmp_path / str(number)
        (job / ".hydra").mkdir(parents=True)
        for seed in (3, 4):
            leave(job / f"seed-{seed}", number, [f"x={value}", "seeds=2"], seed=seed,
                  accuracy=0.5 + number / 10)
    sweep = load_sweep(tmp_path)
    assert [(one.outcome.number, one.outcome.seed) for one in sweep.found] == [
        (0, 3), (0, 4), (1, 3), (1, 4)]
    assert [one.overrides for one in sweep.settings] == [{"x": "b"}, {"x": "a"}]
    assert [run.directory for run in sweep.settings[0].runs] == ["1/seed-3", "1/seed-4"]
    alone = load_sweep(tmp_path / "1")
    assert [one.outcome.seed for one in alone.found] == [3, 4]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0, 0], 0), ([0, 3], 3), ([4, 3], 4), ([1, 4, 3], 1), ([1, 75], 75), ([75, 130, 1], 130)],
)
def test_the_exit_code_tells_the_worst(tmp_path: Path, codes: list[int], expected: int) -> None:
    for number, code in enumerate(codes):
        leave(tmp_path / str(number), number, [f"a={number}"], code=ExitCode(code),
              error="" if code in (0, 3) else "x")
    assert conclude(load_sweep(tmp_path)) == expected


def test_a_metric_that_no_run_has_is_named_with_its_neighbour(tmp_path: Path) -> None:
    for number in range(2):
        leave(tmp_path / str(number), number, [f"a={number}"],
              config=["sweep.metric=validation_acuracy"])
    conclude(load_sweep(tmp_path))
    note = json.loads((tmp_path / "sweep.json").read_text())["note"]
    assert "2 of 2 runs have no such metric; did you mean 'validation_accuracy'?" in note


def test_the_best_setting_is_judged_over_its_seeds(swept: Path, tmp_path: Path) -> None:
    base = {"metrics": {"test_accuracy": [0.99, 0.991, 0.992]}, "config_hash": "c0ffee",
            "git_revision": None}
    file = tmp_path.parent / f"{tmp_path.name}-base.json"
    file.write_text(json.dumps(base))
    for directory in swept.glob("[0-9]"):
        path = directory / ".hydra" / "config.yaml"
        text = path.read_text().replace(
            "baseline: null", f"baseline: {{file: '{file}', max_drop: {{test_accuracy: 0.01}}}}")
        path.write_text(text)
    [verdict] = load_sweep(swept).verdicts
    assert verdict.outcome is gate.Outcome.FAILED
    assert "by the spread of" in verdict.detail


def test_an_outcome_is_read_as_it_was_written(swept: Path) -> None:
    found = outcome.load(swept / "4")
    assert found is not None
    assert found.ending.error == "lr=-1: too small\nreally"
    assert found.ending.traceback.startswith("Traceback")
    assert found.name == "4 lr=-1 model=mlp seed=0"
    assert not found.is_finished
    assert outcome.load(swept) is None


def test_overrides_are_told_without_their_signs() -> None:
    assert told(["+a.b=1", "~c", "++d=x=y", "seed=3", "seeds=2"]) == {
        "a.b": "1", "~c": "", "d": "x=y"}


def test_equal_errors_are_told_once() -> None:
    runs = [SweepRun(number=k, seed=0, directory=str(k), overrides={"a": str(k)}, exit_code=1,
                     ending="failed", error="same" if k < 2 else "other") for k in range(3)]
    content = report.SweepReport(
        name="n", started=NOW, seconds=1.0,
        command="", metric="m", direction="max", varied={}, metrics=["m"], exit_code=1,
        ending="failed",
        settings=[report.Setting(overrides={}, runs=runs, metric="m")])
    assert [[run.number for run in group] for group in content.errors] == [[0, 1], [2]]


@pytest.mark.parametrize(("width", "metrics"), [(120, 3), (80, 2), (60, 1)])
def test_a_table_has_as_many_metrics_as_the_terminal_is_wide(width: int, metrics: int) -> None:
    names = ["validation_accuracy", "test_accuracy", "durations.train"]
    runs = [SweepRun(number=0, seed=0, directory="0", exit_code=0, ending="passed",
                     overrides={"optimizer.learning_rate": "0.05", "model": "a_longer_name"},
                     metrics=dict.fromkeys(names, 0.5))]
    content = report.SweepReport(
        name="n", started=NOW, seconds=1.0, command="", metric=names[0], direction="max",
        varied={"optimizer.learning_rate": ["0.05"], "model": ["a_longer_name"]}, metrics=names,
        exit_code=0, ending="passed",
        settings=[report.Setting(overrides=runs[0].overrides, runs=runs, metric=names[0])])
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as captured:
        console.print(sweep_summary(content, Path("s"), console))
    head = captured.get().split("\n\n")[0]
    assert sum(title in head for title in ("validation accuracy", "test accuracy",
                                           "train seconds")) == metrics
    assert ("learning_rate" in head) == (width >= 60)
