"""A sweep in TensorBoard's HParams tab, read by TensorBoard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from finished_run import evaluation, finished_run, split

from pipeline.report.events import write_events
from pipeline.report.hparams import hyperparameters

CONFIG = {
    "task": {"name": "train"},
    "model": {"name": "mlp", "input_shape": [784], "initializer": None,
              "scopes": {"layer1": {"kind": "dense", "units": 500, "use_bias": True}}},
    "optimizer": {"name": "adam", "learning_rate": 0.1},
    "seed": 0,
    "runtime": {"platform": "cpu"},
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the tab has of three runs that differ in learning rate and accuracy."""
    sweep = tmp_path_factory.mktemp("sweep")
    for job, rate in enumerate((0.1, 0.2, 0.4)):
        config = {**CONFIG, "optimizer": {"name": "adam", "learning_rate": rate}}
        _, digits = split(100)
        write_events(
            finished_run(config_yaml=yaml.safe_dump(config), evaluation=evaluation(digits, job)),
            sweep / str(job) / "tensorboard")
    finished = subprocess.run(
        [sys.executable, Path(__file__).with_name("read_hparams_with_tensorboard.py"), sweep],
        capture_output=True, text=True, check=True)
    return json.loads(finished.stdout)


def test_every_run_is_a_row_with_its_values_and_metrics(shown: Any) -> None:
    rows = {row["name"]: row for row in shown["rows"]["sessionGroups"]}
    assert set(rows) == {"0/tensorboard", "1/tensorboard", "2/tensorboard"}
    assert shown["rows"]["totalSize"] == 3
    for job, rate in enumerate((0.1, 0.2, 0.4)):
        row = rows[f"{job}/tensorboard"]
        assert row["hparams"]["optimizer.learning_rate"] == rate
        assert row["hparams"]["model.scopes.layer1.units"] == 500
        [session] = row["sessions"]
        assert session["status"] == "STATUS_SUCCESS"
        assert session["endTimeSecs"] > session["startTimeSecs"]
        metrics = {found["name"]["tag"]: found["value"] for found in row["metricValues"]}
        assert metrics["test/accuracy"] == pytest.approx(1 - job / 100)
    assert shown["loaded"] == [], "the tab needs no TensorFlow either"


def test_what_differs_is_told_from_what_does_not(shown: Any) -> None:
    infos = {info["name"]: info for info in shown["experiment"]["hparamInfos"]}
    assert infos["optimizer.learning_rate"].get("differs")
    assert not infos["model.name"].get("differs")
    tags = {info["name"]["tag"] for info in shown["experiment"]["metricInfos"]}
    assert {"test/accuracy", "validation/loss", "train/loss"} <= tags


def test_hyperparameters_are_what_decides_the_outcome() -> None:
    assert hyperparameters(yaml.safe_dump(CONFIG)) == {
        "model.name": "mlp", "model.input_shape": [784], "model.scopes.layer1.kind": "dense",
        "model.scopes.layer1.units": 500, "model.scopes.layer1.use_bias": True,
        "optimizer.name": "adam", "optimizer.learning_rate": 0.1, "seed": 0,
    }
    assert hyperparameters("") == hyperparameters("a: '\ud800'\n") == hyperparameters("- 1") == {}
