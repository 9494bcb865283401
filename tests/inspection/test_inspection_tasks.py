"""task=restore_plan and task=convert from the command line, on what users have at hand."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from configured import perform

from pipeline.checkpoint import CheckpointError, CheckpointReader, write_bundle
from pipeline.config import ConfigError
from pipeline.gate import ExitCode
from pipeline.persistence import PersistenceError

Captured = pytest.CaptureFixture[str]
VARIABLES = {"softmax/weights": np.ones((784, 10), np.float32),
             "softmax/biases": np.ones(10, np.float32)}


def plan(path: Path) -> ExitCode:
    done = perform(path.parent, "task=restore_plan", "model=softmax", f"path={path}")
    return ExitCode(done)


def test_a_plan_by_any_path_of_a_checkpoint(tmp_path: Path, capsys: Captured) -> None:
    write_bundle(tmp_path / "m", VARIABLES)
    for path in ("m", "m.index", "m.data-00000-of-00001"):
        assert plan(tmp_path / path) is ExitCode.PASSED
        assert "2 matched, 0 missing, 0 clashing, 0 extra" in capsys.readouterr().out
    write_bundle(tmp_path / "other", {**VARIABLES, "softmax/biases": np.ones(9, np.float32),
                                      "more": np.ones(1)})
    assert plan(tmp_path / "other") is ExitCode.INTEGRITY
    text = capsys.readouterr().out
    assert "1 matched, 0 missing, 1 clashing, 1 extra" in text
    assert "softmax/biases" in text


def test_what_has_no_plan(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ConfigError, match=r"a text file that begins: hello; task=restore_plan"):
        plan(tmp_path / "text")
    with pytest.raises(CheckpointError, match="there is no such file"):
        plan(tmp_path / "nope")


def convert(source: Path, destination: Path) -> None:
    words = ("task=convert", f"path={source}", f"destination={destination}")
    assert perform(source.parent, *words) is ExitCode.PASSED


def test_there_and_back(tmp_path: Path, capfd: Captured) -> None:
    write_bundle(tmp_path / "m", VARIABLES)
    convert(tmp_path / "m.index", tmp_path / "step")
    convert(tmp_path / "step", tmp_path / "again")
    again = CheckpointReader(tmp_path / "again")
    assert set(again) == set(VARIABLES)
    for name, value in VARIABLES.items():
        np.testing.assert_array_equal(again[name], value)
    said = capfd.readouterr()
    assert said.out.split() == [str(tmp_path / "step"), str(tmp_path / "again")]
    assert said.err == ""


def test_the_latest_of_a_directory_of_steps(tmp_path: Path) -> None:
    with ocp.StandardCheckpointer() as checkpointer:
        for step in (9, 10):
            checkpointer.save(tmp_path / "steps" / str(step), {"v": jnp.float32(step)})
    convert(tmp_path / "steps", tmp_path / "m")
    assert CheckpointReader(tmp_path / "m")["v"] == 10


def test_what_cannot_be_converted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="path, destination: task=convert needs both"):
        perform(tmp_path, "task=convert", "path=m")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PersistenceError, match="expected an orbax step or a TensorFlow"):
        convert(tmp_path / "text", tmp_path / "x")
    assert not (tmp_path / "x").exists()
