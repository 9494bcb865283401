"""task=predict: any saved model on any picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configured import ROOT, configured
from PIL import Image

from pipeline import execution, graph, persistence
from pipeline.config import ConfigError
from pipeline.context import Context
from pipeline.data.digits import embedded, enlarge
from pipeline.data.pictures import read_picture
from pipeline.gate import ExitCode
from pipeline.prediction import find_pictures
from pipeline.tasks import predict as task


def predict(options: task.Options) -> ExitCode:
    return task.run(options, Context(Path()))


WORDS = ("model.scopes.layer1.units=200",)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten test digits that are read right, named after their labels, black on white."""
    directory = tmp_path_factory.mktemp("pictures")
    small, labels = embedded()
    for label in range(10):
        index = 1437 + int(np.flatnonzero(labels[1437:] == label)[3])
        enlarged = Image.fromarray(255 - enlarge(small[index:index + 1])[0])
        enlarged.resize((280, 280)).save(directory / f"{label}.png")
    (directory / "notes.txt").write_text("not asked about")
    return directory


def predicted(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert predict(configured("task=predict", *words)) is ExitCode.PASSED
    answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return answer


@pytest.fixture(scope="module")
def expected(run_directory: Path, pictures: Path) -> np.ndarray:
    """By the frozen graph, executed here: [10, 10]."""
    function = execution.function(
        graph.load_graph(run_directory / "frozen_graph.pb"), ["input"], ["probabilities"])
    pixels = np.stack([read_picture(pictures / f"{label}.png") for label in range(10)])
    return np.asarray(function((pixels / np.float32(255)).reshape(10, 784))[0])


@pytest.mark.parametrize("where", ["", "orbax/260", "model.ckpt-260", "model.ckpt-260.index",
                                   "frozen_graph.pb", "saved_model"])
def test_every_form_of_the_model_says_the_same(
    where: str, run_directory: Path, pictures: Path, expected: np.ndarray,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if where == "saved_model" and not (run_directory / where).exists():
        where = "frozen_graph.pb"
    found = predicted(capsys, f"restore={run_directory / where}", f"input={pictures}", *WORDS)
    assert [Path(one["input"]).name for one in found] == [f"{label}.png" for label in range(10)]
    np.testing.assert_allclose([one["probabilities"] for one in found], expected, atol=1e-5)
    assert [one["label"] for one in found] == expected.argmax(axis=1).tolist()
    assert all(one["probability"] == max(one["probabilities"]) for one in found)
    assert sum(one["label"] == label for label, one in enumerate(found)) >= 8


def test_pictures_that_cannot_be_read_do_not_keep_the_others_from_it(
    run_directory: Path, pictures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Image.new("L", (9, 9), 255).save(tmp_path / "white.png")
    given = [tmp_path / "none.png", pictures / "7.png", pictures / "notes.txt",
             tmp_path / "white.png"]
    listed = ",".join(map(str, given))
    config = configured("task=predict", f"restore={run_directory}", f"input=[{listed}]", *WORDS)
    assert predict(config) is ExitCode.FAILED, "one is not there, which leaves more undone"
    captured = capsys.readouterr()
    missing, seven, text, white = json.loads(captured.out)
    assert seven["label"] == 7
    assert "No such file" in missing["error"]
    assert "not a picture" in text["error"]
    assert "nothing is on it" in white["error"]
    assert captured.err.count("\n") == 3
    assert set(missing) == {"input", "error"}
    damaged = configured("task=predict", f"restore={run_directory}", f"input={given[2]}", *WORDS)
    assert predict(damaged) is ExitCode.INTEGRITY


def test_a_table_on_request(
    run_directory: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"restore={run_directory}", f"input={pictures / '7.png'}", "predict.format=table"]
    assert predict(configured("task=predict", *words, *WORDS)) is ExitCode.PASSED
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["input", "label", "probability"]
    assert row.split()[:2] == [str(pictures / "7.png"), "7"]
    assert len(row.split()) == 13


def test_what_is_missing_is_told(tmp_path: Path, pictures: Path) -> None:
    with pytest.raises(ConfigError, match="restore: task=predict needs it"):
        predict(configured("task=predict", f"input={pictures}"))
    with pytest.raises(ConfigError, match="input: task=predict needs it; give a picture"):
        predict(configured("task=predict", "restore=x"))
    with pytest.raises(ConfigError, match=f"input={tmp_path}: no pictures in this directory"):
        find_pictures(str(tmp_path))
    with pytest.raises(persistence.PersistenceError, match="nothing to restore there"):
        predict(configured("task=predict", f"restore={tmp_path}", f"input={pictures}"))


def test_a_model_that_does_not_fit_is_told(run_directory: Path, pictures: Path) -> None:
    config = configured("task=predict", f"restore={run_directory}", f"input={pictures}",
                        "model=cnn")
    with pytest.raises(persistence.PersistenceError, match="does not fit model=cnn"):
        predict(config)


def test_a_model_that_diverged_is_told(
    run_directory: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "load_logits", lambda *_: np.full((10, 10), np.nan))
    config = configured("task=predict", f"restore={run_directory}", f"input={pictures}", *WORDS)
    with pytest.raises(persistence.PersistenceError, match="logits are not finite"):
        predict(config)


def run(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words], cwd=cwd, capture_output=True, text=True,
        check=False, env={**os.environ, "COLUMNS": "40"})


def test_the_command_takes_the_model_from_the_run_and_leaves_nothing(
    run_directory: Path, pictures: Path, tmp_path: Path
) -> None:
    finished = run(tmp_path, "task=predict", f"restore={run_directory}",
                   f"input={pictures / '3.png'}")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)[0]["label"] == 3
    assert f"model, dataset as in {run_directory}" in finished.stderr
    assert not list(tmp_path.iterdir())


def test_evaluate_and_export_take_the_model_from_the_run(
    run_directory: Path, tmp_path: Path
) -> None:
    finished = run(tmp_path, "task=evaluate", f"restore={run_directory / 'model.ckpt-260'}",
                   f"hydra.run.dir={tmp_path / 'evaluated'}")
    assert finished.returncode == 0, finished.stderr
    before, after = (json.loads((directory / "metrics.json").read_text())
                     for directory in (run_directory, tmp_path / "evaluated"))
    assert after["test_accuracy"] == before["test_accuracy"]
    record = (tmp_path / "evaluated" / ".hydra" / "config.yaml").read_text()
    assert "units: 200" in record, "the record says what the run was made with"


def test_a_lone_graph_says_itself_what_the_model_is(
    run_directory: Path, pictures: Path, tmp_path: Path
) -> None:
    shutil.copy(run_directory / "frozen_graph.pb", tmp_path / "graph.pb")
    finished = run(tmp_path, "task=predict", "restore=graph.pb", f"input={pictures / '5.png'}")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)[0]["label"] == 5


