"""Several runs: stopped and resumed, at once, swept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SMALL, Finished, environment, files, metrics, run
from configured import ROOT

RECIPE = (
    *SMALL, "optimizer=adam", "trainer.ema={decay: 0.9}",
    "+model.scopes.layer1.regularizer={kind: l2, scale: 1e-4}",
)


@pytest.fixture(scope="module")
def stopped(home: Path) -> Finished:
    """Stopped by a real SIGTERM after step 12 of 26."""
    return run(home, *RECIPE, "hydra.run.dir=stopped", signal="SIGTERM:12")


def test_sigterm_saves_and_says_that_the_run_can_be_resumed(home: Path, stopped: Finished) -> None:
    assert stopped.code == 75, stopped.err
    assert "restore=auto" in stopped.err
    assert (home / "stopped" / "orbax").is_dir()
    assert not (home / "stopped" / "frozen_graph.pb").exists()


def test_resumed_it_leaves_the_same_bytes_as_a_run_never_stopped(
    home: Path, stopped: Finished
) -> None:
    """Also after the same command came once more, as a scheduler's does."""
    changed = run(home, *RECIPE, "seed=1", "hydra.run.dir=stopped", "restore=auto")
    assert changed.code == 1
    assert '+ "seed": 1' in changed.err
    resumed = run(home, *RECIPE, "hydra.run.dir=stopped", "restore=auto")
    assert resumed.code == 0, resumed.err
    assert "resuming at step 12" in resumed.err
    straight = run(home, *RECIPE, "hydra.run.dir=straight")
    assert straight.code == 0, straight.err
    for name in ("frozen_graph.pb", "model.ckpt-26.index", "model.ckpt-26.data-00000-of-00001"):
        ours, theirs = ((home / run / name).read_bytes() for run in ("stopped", "straight"))
        assert ours == theirs, name
    for key in ("test_accuracy", "test_loss", "confusion"):
        assert metrics(home / "stopped")[key] == metrics(home / "straight")[key]
    steps = [entry["step"] for entry in metrics(home / "stopped")["history"]]
    assert steps == [4, 8, 12, 16, 20, 24, 26]
    refused = run(home, *RECIPE, "hydra.run.dir=straight")
    assert refused.code == 1
    assert "already holds a run" in refused.err


def test_two_at_once_never_share_a_directory(home: Path) -> None:
    command = [
        sys.executable, str(ROOT / "run.py"), "model=softmax", "trainer.epochs=1",
        "persistence=none",
    ]
    started = [
        subprocess.Popen(
            command, cwd=home, env=environment(home), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]
    errors = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], errors
    directories = list((home / "outputs").glob("*/*"))
    assert len(directories) == 2
    assert all("metrics.json" in files(directory) for directory in directories)


def test_a_sweep_gives_every_job_its_own_directory(home: Path) -> None:
    finished = run(
        home, "-m", "model=softmax", "trainer.epochs=1", "persistence=none", "seed=0,1",
        "hydra.sweep.dir=swept",
    )
    assert finished.code == 0, finished.err
    seeds = {
        path.parent.name: json.loads(path.read_text())["seed"]
        for path in (home / "swept").glob("*/metrics.json")
    }
    assert sorted(seeds.values()) == [0, 1]
    assert len(seeds) == 2
    commands = [path.read_text() for path in (home / "swept").glob("*/.hydra/command.txt")]
    assert sorted(text.split()[-1] for text in commands) == ["seed=0", "seed=1"]
    accuracies = {metrics(home / "swept" / name)["test_loss"] for name in seeds}
    assert len(accuracies) == 2, "another seed, another model"
