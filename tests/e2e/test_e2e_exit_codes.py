"""Exit codes as a scheduler meets them, of single runs and of sweeps; 75 is in test_e2e_runs.py.

Damaged data, and sweeps that were stopped, are in tests/sweep.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import Finished, run
from configured import ROOT

TINY = ("model=softmax", "trainer.epochs=2", "trainer.interval=4", "persistence=none")


def outcome(directory: Path) -> dict[str, object]:
    made: dict[str, object] = json.loads((directory / "outcome.json").read_text())
    return made


def test_ctrl_c_ends_a_run_with_130(home: Path) -> None:
    finished = run(home, *TINY, "hydra.run.dir=interrupted", signal="SIGINT:12")
    assert finished.code == 130, finished.err
    assert "step 8/26" in finished.err
    assert "step 16/26" not in finished.err
    assert "Traceback" not in finished.err
    assert outcome(home / "interrupted")["exit_code"] == 130
    [suite] = ElementTree.parse(home / "interrupted" / "junit.xml").getroot()
    assert suite.get("errors") == "1"


@pytest.mark.parametrize("words", [["--no-such-option"], ["-m", "seed=0,1", "--no-such-option"]])
def test_wrong_usage_ends_with_2_before_anything_begins(home: Path, words: list[str]) -> None:
    before = set(home.rglob("*"))
    finished = run(home, *words)
    assert finished.code == 2
    assert "usage: run.py" in finished.err
    assert "unrecognized arguments: --no-such-option" in finished.err
    assert set(home.rglob("*")) - before <= {home / "told.json"}


def test_a_sweep_tells_a_failed_gate_from_a_damaged_file(home: Path) -> None:
    (home / "damaged.pb").write_bytes(b"\xff" * 99)
    finished = run(
        home, "-m", *TINY, "warm_start=null,damaged.pb",
        "+gate.metrics.test_accuracy.at_least=1.01", "hydra.sweep.dir=told-apart")
    assert [outcome(home / "told-apart" / job)["exit_code"] for job in "01"] == [3, 4]
    assert finished.code == 4, "the one that leaves more undone"
    assert "error: damaged.pb: " in finished.err
    assert "Traceback" not in finished.err
    [suite] = ElementTree.parse(home / "told-apart" / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    again = run(home, "task=gate", "run=told-apart")
    assert again.code == 4, "what came to nothing stays what it is"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("frozen_graph.pb", flip, ["task=gate", "run=copy"]),
        ("orbax/26/arrays/manifest.ocdbt", Path.unlink, ["task=gate", "run=copy"]),
        ("manifest.json", Path.unlink, ["task=gate", "run=copy"]),
        ("model.ckpt-26.data-00000-of-00001", lambda path: path.write_bytes(b""),
         ["task=predict", "restore=copy/model.ckpt-26", "input=7.png"]),
    ],
)
def test_a_damaged_artefact_ends_with_4_and_is_named(
    home: Path, trained: tuple[Path, Finished], name: str, damage: Callable[[Path], object],
    words: list[str],
) -> None:
    copy = home / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(trained[0], copy)
    damage(copy / name)
    finished = run(home, *words)
    assert finished.code == 4, finished.err
    assert name.partition(".data-")[0] in finished.err
    assert "Traceback" not in finished.err


def test_a_full_standard_output_is_told_without_a_traceback() -> None:
    with open("/dev/full", "w") as full:
        finished = subprocess.run([sys.executable, "-m", "pipeline", "--help"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    assert finished.returncode == 1
    assert finished.stderr == "error: standard output cannot be written: No space left on device\n"
