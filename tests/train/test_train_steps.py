"""Orbax steps on a disk that lies, is full, or has directories of any name."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from step_mutations import mutate
from training_cases import assert_identical, small, train

from pipeline.checkpoint.description import describe
from pipeline.checkpoint.errors import CheckpointError
from pipeline.checkpoint.listing import format_description
from pipeline.checkpoint.step_record import FILE_NAME, check_step
from pipeline.errors import IntegrityError, PipelineError
from pipeline.train import SnapshotError, TrainError, find_step, load_variables, save_snapshot
from pipeline.train import steps as steps_module
from pipeline.train.errors import SnapshotWriteError
from pipeline.train.steps import all_steps, require_saveable

CASES = int(os.environ.get("JAXFROST_CASES", "150"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A short training; its step 8 lies in `whole`."""
    return train(small(steps=8), tmp_path_factory.mktemp("trained") / "orbax")


@pytest.fixture(scope="module")
def whole(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step that nothing is wrong with."""
    return save_snapshot(tmp_path_factory.mktemp("whole"), trained.snapshot)


def is_sound(step: Path) -> bool:
    try:
        return describe(step, verify=True).is_sound
    except CheckpointError:
        return False    # damaged beyond listing


def test_a_step_is_published_with_its_checksums(whole: Path) -> None:
    assert check_step(whole)
    assert sorted(os.listdir(whole.parent)) == ["8"], "nothing is left beside it"
    found = describe(whole, verify=True)
    assert found.is_sound
    assert "checksums of its files are kept with it: all match" in format_description(found)
    assert "sizes match; verifying compares" in format_description(describe(whole))
    assert check_step(whole / "arrays"), "of an item: the record of its step"


def test_any_mutation_of_a_step_is_found(whole: Path, tmp_path: Path) -> None:
    for seed in range(CASES):
        step = tmp_path / "8"
        shutil.rmtree(step, ignore_errors=True)
        shutil.copytree(whole, step)
        done = mutate(step, Random(seed))
        if not done:
            continue
        if not (step / FILE_NAME).exists():
            assert check_step(step) is False, "its values are right, and said to be unchecked"
            continue
        assert not is_sound(step), f"seed {seed}: {done}"
        with pytest.raises(SnapshotError) as refused:
            load_variables(step)
        assert str(step) in str(refused.value), f"seed {seed}: {done}"


@pytest.mark.filterwarnings("ignore")
def test_a_mutated_step_without_checksums_raises_no_other_error(
        whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "pipeline.train")
    for seed in range(1 + CASES // 5):
        step = tmp_path / "8"
        shutil.rmtree(step, ignore_errors=True)
        shutil.copytree(whole, step)
        (step / FILE_NAME).unlink()
        if seed:
            mutate(step, Random(seed))
        with nullcontext() if not seed else suppress(TrainError):
            load_variables(step)
        assert "no checksums, so its values are unchecked" in caplog.text
        assert is_sound(step) or seed


def test_a_fifo_in_a_step_is_refused(whole: Path, tmp_path: Path) -> None:
    step = Path(shutil.copytree(whole, tmp_path / "8"))
    for file in (FILE_NAME, "arrays/manifest.ocdbt"):
        (step / file).unlink()
    os.mkfifo(step / "arrays" / "manifest.ocdbt")
    with pytest.raises(SnapshotError, match=r"manifest\.ocdbt: it is a FIFO"):
        load_variables(step)


@pytest.mark.parametrize("name", [b"a[1]b", b"back\\slash", b"\xff\xfe", b"a*b?", b"new\nline",
                                  "ü %20 {x} $".encode()])
def test_steps_in_a_directory_of_any_name(name: bytes, trained: Any, tmp_path: Path) -> None:
    directory = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))) / "orbax"
    step = save_snapshot(directory, trained.snapshot)
    assert find_step(directory) == step
    loaded = load_variables(step)
    for variable, value in trained.snapshot.state.averaged.items():
        np.testing.assert_array_equal(loaded[variable], value)
    resumed = train(small(steps=8), directory, resume=directory)
    assert_identical(resumed.snapshot.state, trained.snapshot.state)


def test_a_name_that_cannot_work_is_refused_before(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_module, "_DESCRIPTORS", tmp_path / "no proc here")
    require_saveable(tmp_path)
    with pytest.raises(TrainError, match=r"a\[1\]: orbax cannot save .* hydra\.run\.dir"):
        require_saveable(tmp_path / "a[1]")


FULL = """
import resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from training_cases import small, train
directory = Path(sys.argv[1])
snapshot = train(small(steps=8), directory / "elsewhere").snapshot
from pipeline.train import save_snapshot
save_snapshot(directory, snapshot)
from dataclasses import replace
snapshot.state = replace(snapshot.state, step=snapshot.state.step + 8)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
try:
    save_snapshot(directory, snapshot)
except Exception as error:
    print(type(error).__name__, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
save_snapshot(directory, snapshot)
"""


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files fails where a full disk does: in the middle of a write."""
    finished = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), *sys.path], capture_output=True, text=True,
        check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(f"SnapshotWriteError {tmp_path / '16'}: cannot be saved (")
    assert "File too large" in finished.stdout
    assert "restore=auto" in finished.stdout
    assert "Traceback" not in finished.stderr
    assert all_steps(tmp_path) == [8, 16], "once there was room"
    assert sorted(os.listdir(tmp_path)) == ["16", "8"]
    assert check_step(tmp_path / "16")


def test_what_a_killed_save_left_is_removed_by_the_next(trained: Any, tmp_path: Path) -> None:
    (tmp_path / ".saving-1-abcd" / "4").mkdir(parents=True)
    assert find_step(tmp_path) is None
    save_snapshot(tmp_path, trained.snapshot)
    assert sorted(os.listdir(tmp_path)) == ["8"]


def test_errors_of_damage_end_with_the_exit_code_of_damage() -> None:
    assert issubclass(SnapshotError, IntegrityError)
    assert issubclass(SnapshotWriteError, PipelineError)
    assert not issubclass(SnapshotWriteError, IntegrityError)
