"""Exit codes, sweeps and judgements as a scheduler meets them: from the outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line_of_sweeps import TINY, WITH_ARTEFACTS, Finished, run
from configured import ROOT

from pipeline import gate
from pipeline.graph import load_graph


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def record(path: Path) -> dict:  # type: ignore[type-arg]
    return json.loads(path.read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def swept(home: Path) -> Finished:
    """Four jobs: two rates, one of them with a batch that is too large; every artefact."""
    return run(home, *WITH_ARTEFACTS, "-m", "optimizer.learning_rate=0.01,0.03",
               "trainer.batch_size=100,9999", "hydra.sweep.dir=swept",
               JAXFROST_CACHE=str(home / "cache"))   # an empty one: compilations are counted


def test_a_failing_job_stops_nobody_and_the_exit_code_tells(home: Path, swept: Finished) -> None:
    assert swept.code == 1, swept.err
    found = record(home / "swept" / "sweep.json")
    codes = {run["number"]: run["exit_code"] for one in found["settings"] for run in one["runs"]}
    assert codes == {0: 0, 1: 1, 2: 0, 3: 1}
    assert "4 runs, 2 failed" in swept.out
    assert swept.out.index("best") < swept.out.index("failed  1, 3: trainer.batch_size=9999")
    assert "trainer.batch_size=9999" in (home / "swept" / "1" / "traceback.txt").read_text()
    assert (home / "swept" / "2" / "report.html").exists()
    page = (home / "swept" / "sweep.html").read_text()
    assert "trainer.batch_size=9999: the training split has only" in page
    [suite] = ElementTree.parse(home / "swept" / "junit.xml").getroot()
    assert suite.get("errors") == "2"


def test_every_figure_of_a_run_can_rank_it(home: Path, swept: Finished) -> None:
    for name in gate.metric_names(gate.load_record(home / "swept" / "0")):
        gate.require_metric("sweep.metric", name)


def test_the_second_job_of_a_shape_compiles_nothing(home: Path, swept: Finished) -> None:
    compiled = dict(swept.compiled)
    assert compiled[0] > 0, "or nothing was counted"
    assert compiled[2] == 0, "other weights are the same programs, that of the frozen graph too"
    alone = run(home, *WITH_ARTEFACTS, "seed=7", "hydra.run.dir=alone",
                JAXFROST_CACHE=str(home / "cache"))
    assert alone.code == 0, alone.err
    assert alone.compiled == [(None, 0)], "nor does another process"


def test_a_finished_sweep_is_judged_again_without_training(home: Path, swept: Finished) -> None:
    again = run(home, "task=gate", "run=swept", "+gate.metrics.test_accuracy.at_least=1.01")
    assert again.code == 1, "the jobs that failed have still failed"
    assert again.compiled == []
    assert "metrics.test_accuracy: found" in again.out
    one = run(home, "task=gate", "run=swept/0", "+gate.metrics.test_accuracy.at_least=1.01")
    assert one.code == 3, one.err
    assert "metrics.test_accuracy" in one.out
    accepted = run(home, "task=gate", "run=swept/0", "gate.accept=true",
                   "gate.variables=golden.txt")
    assert accepted.code == 0, accepted.err
    assert "softmax/weights" in (home / "golden.txt").read_text()


def test_tensorboard_shows_the_sweep(home: Path, swept: Finished) -> None:
    """Its own HParams tab, asked over its own routes."""
    reader = ROOT / "tests" / "report" / "read_hparams_with_tensorboard.py"
    asked = subprocess.run([sys.executable, reader, home / "swept"], capture_output=True, text=True,
                           check=True)
    shown = json.loads(asked.stdout)
    rows = {row["name"]: row for row in shown["rows"]["sessionGroups"]}
    assert set(rows) == {"0/tensorboard", "2/tensorboard"}, "those that failed trained nothing"
    for job, rate in ((0, 0.01), (2, 0.03)):
        row = rows[f"{job}/tensorboard"]
        assert row["hparams"]["optimizer.learning_rate"] == rate
        values = {found["name"]["tag"]: found["value"] for found in row["metricValues"]}
        made = record(home / "swept" / str(job) / "metrics.json")
        assert values["test/accuracy"] == pytest.approx(made["test_accuracy"])
        assert values["validation/loss"] == pytest.approx(made["validation_loss"])
    differing = [one["name"] for one in shown["experiment"]["hparamInfos"] if one.get("differs")]
    assert differing == ["optimizer.learning_rate"]


def test_two_runs_are_compared(home: Path, swept: Finished) -> None:
    compared = run(home, "task=compare", "runs=[swept/0,swept/2]", "hydra.run.dir=compared")
    assert compared.code == 0, compared.err
    assert "optimizer.learning_rate  0.01" in compared.out
    assert "optimizer.learning_rate" in (home / "compared" / "compare.html").read_text()
    assert run(home, "task=compare", "runs=[swept/0]").code == 1


def test_a_damaged_run_ends_with_4(home: Path, swept: Finished) -> None:
    with (home / "swept" / "2" / "report.html").open("a") as file:
        file.write("x")
    damaged = run(home, "task=gate", "run=swept/2")
    assert damaged.code == 4
    assert "report.html" in damaged.err


def test_gates_end_a_run_with_3_and_tell_github(home: Path) -> None:
    failing = run(
        home, *TINY, "+gate.metrics.test_accuracy.at_least=1.01", "gate.trend=trend.jsonl",
        "hydra.run.dir=gated", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(home / "summary.md"),
    )
    assert failing.code == 3, failing.err
    assert "::error title=gated%3A gate metrics.test_accuracy::" in failing.out
    assert "metrics.test\\_accuracy" in (home / "summary.md").read_text()
    assert record(home / "gated" / "gate.json")["outcome"] == "failed"
    made = record(home / "gated" / "metrics.json")
    assert {"schema_version", "git", "seed", "versions", "device", "durations", "config_hash",
            "command"} <= set(made)
    listed = {file["path"] for file in record(home / "gated" / "manifest.json")["files"]}
    assert {"metrics.json", "gate.json", "junit.xml", "report.html", "outcome.json"} <= listed
    assert json.loads((home / "trend.jsonl").read_text())["exit_code"] == 3
    assert 'id="trend"' in (home / "gated" / "report.html").read_text()
    assert "\x1b" not in failing.out + failing.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--no-such-option"], 2, "usage"),
        (["optimizer.learning_rat=1"], 1, "did you mean 'learning_rate'?"),
        (["-m", "optimizer.learning_rat=1,2"], 1, "did you mean 'learning_rate'?"),
        (["gate.variables=nowhere.txt", "model=softmax"], 1, "gate.variables=nowhere.txt"),
        (["sweep.resume=nowhere"], 1, "no sweep was begun there"),
        (["-m", "seed=0,1", "sweep.metric=test_acuracy"], 1, "did you mean 'test_accuracy'?"),
        (["task=gate"], 1, "run: task=gate needs it"),
        (["model=softmax", "hydra.run.dir=/dev/null/x"], 1, "error: /dev/null"),
        (["-m", "seed=0,1", "hydra.sweep.dir=/dev/null/x"], 1, "error: /dev/null"),
        (["dataset=mnist", "dataset.directory=damaged", "model=softmax"], 4, "damaged"),
    ],
)
def test_what_went_wrong_is_in_the_exit_code(
    home: Path, words: list[str], code: int, told: str
) -> None:
    damaged = home / "damaged"
    damaged.mkdir(exist_ok=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (damaged / f"{name}-ubyte").write_bytes(b"\0\0\x08\x03")
    finished = run(home, *words)
    assert finished.code == code, finished.err
    assert told in finished.err
    assert "Traceback" not in finished.err


def test_a_stopped_sweep_goes_on_where_it_stopped(home: Path) -> None:
    words = ["-m", "model=softmax", "trainer.epochs=3", "persistence=none", "seed=0,1,2",
             "hydra.sweep.dir=stopped"]
    stopped = run(home, *words, SIGNAL="SIGTERM:26:1")
    assert stopped.code == 75, stopped.err
    directory = home / "stopped"
    assert record(directory / "0" / "outcome.json")["exit_code"] == 0
    assert record(directory / "1" / "outcome.json")["exit_code"] == 75
    assert not (directory / "2").exists()
    before = (directory / "0" / "metrics.json").read_bytes()

    changed = run(home, "sweep.resume=stopped", "trainer.epochs=9")
    assert changed.code == 1
    assert "+trainer.epochs=9" in changed.err
    assert not (directory / "2").exists()

    resumed = run(home, "sweep.resume=stopped")
    assert resumed.code == 0, resumed.err
    assert "resuming at step 26" in resumed.err
    assert [number for number, _ in resumed.compiled] == [1, 2], "the finished job is skipped"
    assert (directory / "0" / "metrics.json").read_bytes() == before
    assert "3 runs, 0 failed" in resumed.out
    steps = [one["step"] for one in record(directory / "1" / "metrics.json")["history"]]
    assert steps == [13, 26, 39]


def test_ctrl_c_ends_a_sweep_with_130(home: Path) -> None:
    interrupted = run(home, "-m", *TINY, "trainer.epochs=3", "seed=0,1", "hydra.sweep.dir=ctrl-c",
                      SIGNAL="SIGINT:13:0")
    assert interrupted.code == 130, interrupted.err
    assert not (home / "ctrl-c" / "1").exists()
    assert (home / "ctrl-c" / "sweep.html").exists()


def test_a_sweep_stops_at_a_failure_when_asked(home: Path) -> None:
    stopped = run(home, "-m", *TINY, "trainer.batch_size=9999,100", "sweep.on_failure=stop",
                  "hydra.sweep.dir=at-failure")
    assert stopped.code == 1
    assert not (home / "at-failure" / "1").exists()
    assert "1 of 2 planned runs ended, 1 failed" in stopped.out


def test_jobs_trained_together_leave_what_single_ones_leave(home: Path) -> None:
    words = ["-m", "model=softmax", "trainer.epochs=1", "persistence=frozen_graph",
             "optimizer.learning_rate=0.01,0.03", "seeds=2"]
    both = {name: run(home, *words, f"sweep.strategy={name}", f"hydra.sweep.dir={name}")
            for name in ("process", "vmap")}
    assert [one.code for one in both.values()] == [0, 0], both["vmap"].err
    assert "4 runs as 1 compiled program" in both["vmap"].err
    files = [{str(path.relative_to(home / name)) for path in (home / name).rglob("*")}
             - {"run.log"} - {f"{job}/run.log" for job in (0, 1)} for name in both]
    logs = {f"{job}/seed-{seed}/run.log" for job in (0, 1) for seed in (0, 1)}
    assert files[0] == files[1] - logs
    for path in (home / "vmap").rglob("metrics.json"):
        made = record(path)
        single = record(home / "process" / path.relative_to(home / "vmap"))
        assert set(made) == set(single)
        assert made["config_hash"] == single["config_hash"]
        assert made["test_loss"] == pytest.approx(single["test_loss"], rel=1e-4)
        assert [one["agrees"] for one in made["parity"]] == [True]
        graphs = [load_graph(place / path.parent.relative_to(home / "vmap") / "frozen_graph.pb")
                  for place in (home / "vmap", home / "process")]
        nodes = [[(node.name, node.op, list(node.input)) for node in one.node] for one in graphs]
        assert nodes[0] == nodes[1]


def test_an_error_of_one_is_not_one_of_those_trained_with_it(home: Path) -> None:
    mixed = run(home, "-m", *TINY, "sweep.strategy=vmap", "gate.variables=nowhere.txt,null",
                "hydra.sweep.dir=mixed")
    assert mixed.code == 1
    codes = [record(home / "mixed" / str(job) / "outcome.json")["exit_code"] for job in (0, 1)]
    assert codes == [1, 0], mixed.err


def test_seeds_alone_end_in_mean_and_spread(home: Path) -> None:
    seeded = run(home, *TINY, "seed=5", "seeds=3", "hydra.run.dir=seeded")
    assert seeded.code == 0, seeded.err
    assert "±" in seeded.out
    assert sorted(path.name for path in (home / "seeded").glob("seed-*")) == [
        "seed-5", "seed-6", "seed-7"]
    assert [count for _, count in seeded.compiled][1:] == [0, 0]
