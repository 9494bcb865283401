"""A path that the user gave: where nothing is, the same end for every task; where it is a sweep,
its runs are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from configured import configured, perform

from pipeline import model, persistence
from pipeline.config.persistence import GraphNames
from pipeline.gate import Ending, ExitCode, attempt


def attempted(directory: Path, *words: str) -> Ending:
    def act() -> ExitCode | None:
        done = perform(directory, *words)
        return done if isinstance(done, ExitCode) else done.exit_code

    return attempt(act)


@pytest.mark.parametrize("words", [
    "task=gate run={}", "task=serve run={}", "task=compare runs=[{},{}]", "task=inspect path={}",
    "task=inspect path={} destination=x.html", "task=inspect path={} field=saver_def",
    "task=restore_plan path={}", "task=convert path={} destination=x", "task=evaluate restore={}",
    "task=export restore={}", "task=predict restore={} input=x.png", "restore={}", "warm_start={}",
    "dataset=mnist dataset.directory={}", "model=imported model.path={}.pb",
    "model=imported model.path={}",
])
def test_where_nothing_is_every_task_ends_with_1(words: str, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    given = words.replace("{}", str(nowhere)).split()
    ending = attempted(tmp_path, *["model=softmax"] * ("model=" not in words), *given)
    assert ending.exit_code is ExitCode.FAILED
    assert str(nowhere) in ending.error
    assert "no such" in ending.error or "not exist" in ending.error
    for key in ("run", "restore", "warm_start", "model.path"):
        if f"{key}=" in words:
            assert ending.error.startswith(f"{key}={nowhere}")


@pytest.mark.parametrize("words", [
    "task=serve run={}", "task=compare runs=[{},{}]", "task=inspect path={}",
    "task=restore_plan path={}", "task=convert path={} destination=x", "task=evaluate restore={}",
    "task=export restore={}", "task=predict restore={} input=x.png", "restore={}", "warm_start={}",
])
def test_a_sweep_names_its_best_run(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (".", "0", "1"):
        (tmp_path / name / ".hydra").mkdir(parents=True)
        (tmp_path / name / ".hydra" / "config.yaml").write_text("{}")
    (tmp_path / "sweep.json").write_text(json.dumps({"best": "1"}))
    ending = attempted(tmp_path / "run", "model=softmax",
                       *words.replace("{}", str(tmp_path)).split())
    told = f"a sweep of 2 runs; the best is {tmp_path}/1"
    if "inspect" in words:
        assert ending.exit_code is ExitCode.PASSED
        assert told in capsys.readouterr().out
    else:
        assert ending.exit_code is ExitCode.FAILED
        assert told in ending.error


def test_a_pattern_that_chooses_nothing_is_told_with_its_key(tmp_path: Path) -> None:
    network = model.build(configured("model=softmax").model)
    made = persistence.build_frozen_graph(GraphNames(), network, network.init(0))
    path = tmp_path / "frozen.pb"
    path.write_bytes(made.SerializeToString())
    ending = attempted(tmp_path, "model=imported", f"model.path={path}",
                       "model.trainable=[softmax/biases,layer9/*]")
    assert ending.exit_code is ExitCode.FAILED
    assert ending.error == ("model.trainable=['softmax/biases', 'layer9/*']: nothing to train is "
                            "named 'layer9/*'; there are softmax/biases, softmax/weights")
