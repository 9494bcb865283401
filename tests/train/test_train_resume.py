"""A run that was stopped and resumed is, bit for bit, the run that was never stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
from configured import ROOT
from training_cases import assert_identical, everything, small, train

from pipeline.signals import watch_for_interruption
from pipeline.train import (
    Interval,
    Stop,
    TrainError,
    TrainState,
    describe_machine,
    find_step,
    load_variables,
    save_snapshot,
    snapshot,
)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run of 12 steps that was never stopped."""
    return train(everything(), tmp_path_factory.mktemp("straight"))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orbax directory of the same run, stopped by SIGTERM at step 8."""
    directory = tmp_path_factory.mktemp("stopped") / "orbax"

    def terminate(interval: Interval, state: TrainState) -> None:
        if interval.step == 8:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    result = train(everything(), directory, observers=[terminate])
    assert signal.getsignal(signal.SIGTERM) is before
    assert result.stop is Stop.INTERRUPTED
    assert [interval.step for interval in result.history] == [4, 8]
    return directory


@pytest.fixture
def copy(stopped: Path, tmp_path: Path) -> Path:
    """The stopped run's directory, to do with as one likes."""
    return Path(shutil.copytree(stopped, tmp_path / "orbax"))


MACHINE = {"cores": 2, "processor": "P", "device": "cpu", "jaxlib": "0.1"}


@pytest.mark.parametrize(("then", "told"), [
    ({}, ""),
    ({"cores": 64}, "cores 64 then, 2 now"),
    ({"processor": "Q", "jaxlib": "0.0.9"}, "processor Q then, P now, jaxlib 0.0.9 then, 0.1 now"),
    ({"device": "NVIDIA H200"}, "device NVIDIA H200 then, cpu now"),
])
def test_the_bits_are_promised_on_the_same_machine_alone(
    then: dict[str, Any], told: str, straight: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    """As the step's record and the machine at hand say; the state gone on from is the same."""
    monkeypatch.setattr(snapshot, "describe_machine", lambda: {**MACHINE, **then})
    train(everything(steps=8), tmp_path, observers=[lambda interval, state: (
        Stop.INTERRUPTED if interval.step == 8 else None)])
    monkeypatch.setattr(snapshot, "describe_machine", lambda: MACHINE)
    resumed = train(everything(), tmp_path, resume=tmp_path)
    lines = [record.getMessage() for record in caplog.records if "machine" in record.getMessage()]
    assert len(lines) == bool(told)
    assert all(told in line and "last bits may differ" in line for line in lines)
    assert_identical(resumed.snapshot.state, straight.snapshot.state)   # here it was the same


def test_the_machine_is_told_by_what_the_bits_depend_on() -> None:
    told = describe_machine()
    assert set(told) == set(MACHINE)
    assert told["cores"] == len(os.sched_getaffinity(0))
    assert told["device"] == jax.devices()[0].device_kind


@pytest.mark.parametrize("cores", [1, None])
def test_in_other_processes_the_promise_holds_for_each_number_of_cores(
    cores: int | None, tmp_path: Path
) -> None:
    """Whole, and stopped at step 8 and resumed, each in a process of its own."""
    made = []
    for name, steps in (("whole", (12,)), ("halves", (8, 12))):
        for last in steps:
            made.append(subprocess.run(
                [sys.executable, "-c", _IN_A_PROCESS, str(tmp_path / name), str(last),
                 str(cores or 0)], capture_output=True, text=True, check=True,
                cwd=Path(__file__).parent, env={**os.environ, "PYTHONPATH": os.pathsep.join(
                    [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)])}))
    assert made[0].stdout == made[2].stdout != made[1].stdout
    assert "another machine" not in made[2].stderr


_IN_A_PROCESS = """
import hashlib, logging, os, sys
from pathlib import Path
directory, last, cores = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if cores:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
logging.basicConfig(level=logging.INFO)
from training_cases import leaves, small, train
from pipeline.train import Stop
stop = [lambda interval, state: Stop.INTERRUPTED if interval.step == last else None]
state = train(small(), directory, resume=directory, observers=stop).snapshot.state
print(hashlib.sha256(b"".join(value.tobytes() for value in leaves(state).values())).hexdigest())
"""


def test_a_resumed_run_equals_one_never_stopped(straight: Any, copy: Path) -> None:
    resumed = train(everything(), copy, resume=copy)
    assert resumed.stop is Stop.FINISHED
    assert_identical(resumed.snapshot.state, straight.snapshot.state)
    for name, value in straight.snapshot.batches.items():
        np.testing.assert_array_equal(resumed.snapshot.batches[name], value)
    assert [i.step for i in resumed.history] == [4, 8, 12]
    assert [i.loss for i in resumed.history] == [i.loss for i in straight.history]
    assert [i.validation_loss for i in resumed.history] == [
        i.validation_loss for i in straight.history
    ]


def test_a_finished_run_can_be_made_longer(straight: Any, copy: Path, tmp_path: Path) -> None:
    longer = train(everything(steps=16), copy, resume=copy)
    assert_identical(
        longer.snapshot.state, train(everything(steps=16), tmp_path / "b").snapshot.state
    )


def test_resuming_where_nothing_is_begins_anew(straight: Any, tmp_path: Path) -> None:
    begun = train(everything(), tmp_path / "none", resume=tmp_path / "none")
    assert_identical(begun.snapshot.state, straight.snapshot.state)
    assert not (tmp_path / "none").exists(), "nothing asked for a snapshot"


def test_checkpoints_come_when_asked_and_only_the_last_stay(tmp_path: Path) -> None:
    train(small("trainer.checkpoint_every=1", "trainer.keep_checkpoints=2", steps=16), tmp_path)
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [12, 16]
    train(small("trainer.checkpoint_every=3", steps=28), tmp_path / "third")
    assert sorted(int(path.name) for path in (tmp_path / "third").iterdir()) == [12, 24]


def test_a_step_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    result = train(small("trainer.checkpoint_every=1", steps=4), tmp_path)
    before = (tmp_path / "4" / "record").stat().st_mtime_ns
    assert save_snapshot(tmp_path, result.snapshot) == tmp_path / "4"
    assert (tmp_path / "4" / "record").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["seed=1"], ['- "seed": 0', '+ "seed": 1']),
        (["optimizer.learning_rate=0.02"], ['"learning_rate": 0.01', '"learning_rate": 0.02']),
        (["trainer.batch_size=20"], ['"batch_size": 30', '"batch_size": 20']),
        (["trainer.ema=null"], ['+  "ema": null']),
    ],
)
def test_a_changed_recipe_is_refused_with_its_difference(
    copy: Path, words: list[str], lines: list[str]
) -> None:
    with pytest.raises(TrainError, match="another configuration") as refused:
        train(everything(*words), copy, resume=copy)
    for line in lines:
        assert line in str(refused.value)
    assert "filters" not in str(refused.value), "only what changed is told"


def remove(part: str) -> Callable[[Path], None]:
    def attack(directory: Path) -> None:
        path = directory / "8" / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return attack


def overwrite(pattern: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def attack(directory: Path) -> None:
        for path in (directory / "8").rglob(pattern):
            if path.is_file():
                path.write_bytes(change(path.read_bytes()))

    return attack


def record(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    return overwrite("record/metadata", lambda text: json.dumps(change(json.loads(text))).encode())


def foreign(directory: Path) -> None:
    """Another program's orbax step."""
    shutil.rmtree(directory)
    with ocp.CheckpointManager(directory) as manager:
        manager.save(8, args=ocp.args.StandardSave({"weights": np.zeros(3)}))


ATTACKS = {
    "no arrays": remove("arrays"),
    "no record": remove("record"),
    "an empty record": overwrite("record/metadata", lambda text: b""),
    "a record that is a list": overwrite("record/metadata", lambda text: b"[]"),
    "a record of other keys": record(lambda found: {}),
    "a history of other fields": record(lambda found: {**found, "history": [{"step": 1}]}),
    "no patience": record(lambda found: {**found, "patience": None}),
    "half of each data file": overwrite("d/*", lambda text: text[: len(text) // 2]),
    "half of the manifest": overwrite("manifest.ocdbt", lambda text: text[: len(text) // 2]),
    "half of the metadata": overwrite("_METADATA", lambda text: text[: len(text) // 2]),
    "a flipped bit in each data file": overwrite(
        "d/*", lambda text: text[:40] + bytes([text[40] ^ 1]) + text[41:]
    ),
    "only empty files": overwrite("*", lambda text: b""),
    "another program's": foreign,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_damaged_or_foreign_step_is_told(copy: Path, attack: str) -> None:
    ATTACKS[attack](copy)
    with pytest.raises(TrainError) as refused:
        train(everything(), copy, resume=copy)
    assert str(copy / "8") in str(refused.value)
    assert "start a new run" in str(refused.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attack", ["no arrays", "half of the manifest", "another program's"])
def test_variables_of_a_damaged_step_are_refused(copy: Path, attack: str) -> None:
    ATTACKS[attack](copy)
    with pytest.raises(TrainError, match="orbax"):
        load_variables(copy / "8")


def test_an_interrupted_save_is_no_step(copy: Path) -> None:
    """Orbax writes beside and renames: what a kill leaves behind is not taken for a step."""
    (copy / "12.orbax-checkpoint-tmp").mkdir()
    (copy / "notes.txt").write_text("not a step")
    assert find_step(copy) == copy / "8"
    assert find_step(copy / "8") == copy / "8"
    assert find_step(copy / "none") is None


def test_variables_are_the_averages_where_there_are_any(straight: Any, tmp_path: Path) -> None:
    step = save_snapshot(tmp_path, straight.snapshot)
    loaded = load_variables(step)
    expected = straight.snapshot.state.averaged
    assert set(loaded) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(loaded[name], value)
    assert not np.array_equal(loaded["out/weights"], straight.snapshot.state.params["out/weights"])


def test_the_second_sigterm_is_the_previous_handler_s() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with watch_for_interruption() as interruption:
            assert not interruption.requested
            os.kill(os.getpid(), signal.SIGTERM)
            assert interruption.requested
            assert not received
            os.kill(os.getpid(), signal.SIGTERM)
            assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_the_main_thread_nothing_is_requested() -> None:
    found: list[bool] = []

    def watch() -> None:
        with watch_for_interruption() as interruption:
            found.append(interruption.requested)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert found == [False]
