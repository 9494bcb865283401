"""Whole trainings: what they tell, what they depend on and what they don't."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from configured import ROOT, digits
from training_cases import assert_identical, everything, leaves, small, train

from pipeline import model
from pipeline.config import ConfigError
from pipeline.data import DataSet, DataSets
from pipeline.train import Interval, Stop, TrainError, TrainState, fit, loop, program


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train(everything(), tmp_path_factory.mktemp("trained"))


def test_the_history_tells_of_every_interval(trained: Any) -> None:
    assert [interval.step for interval in trained.history] == [4, 8, 12]
    assert [interval.epoch for interval in trained.history] == [0.6, 1.2, 1.8]
    assert trained.stop is Stop.FINISHED
    for interval in trained.history:
        assert interval.examples_per_second > 0
        assert 0 <= interval.accuracy <= 1
        assert interval.validation_accuracy is not None
        assert 0 < interval.learning_rate <= 0.01


def test_compiling_is_no_part_of_the_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that moves for compiling and for computing alone."""
    now = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(program, "time", clock)
    monkeypatch.setattr(loop, "time", clock)
    prepare, lower = program.Compiled.prepare, program.Compiled._lower

    def taking_time(self: Any, *arguments: Any) -> Any:
        now[0] += 1000.0
        return lower(self, *arguments)

    def prepared(self: Any, *arguments: Any) -> Any:
        compiled = prepare(self, *arguments)

        def call(*given: Any) -> Any:
            now[0] += 2.0
            return compiled(*given)

        return call

    monkeypatch.setattr(program.Compiled, "_lower", taking_time)
    monkeypatch.setattr(program.Compiled, "prepare", prepared)
    config = small("trainer.steps=5", "trainer.interval=2")
    told = train(config, tmp_path)
    size = config.trainer.batch_size
    assert [one.examples_per_second for one in told.history] == [size, size, size / 2]
    assert told.compile_seconds == 2000.0, "once for two steps, once for the last one"


def test_the_history_s_learning_rate_is_the_last_step_s(trained: Any) -> None:
    assert trained.history[0].learning_rate == pytest.approx(0.01)      # step 3: warm-up is over
    expected = 0.01 * 0.5 * (1 + np.cos(np.pi * (11 - 3) / (40 - 3)))
    assert trained.history[-1].learning_rate == pytest.approx(expected, rel=1e-5)


def test_the_same_seed_gives_the_same_bits(trained: Any, tmp_path: Path) -> None:
    again = train(everything(), tmp_path)
    assert_identical(again.snapshot.state, trained.snapshot.state)
    told = [dataclasses.replace(i, examples_per_second=0.0) for i in trained.history]
    assert [dataclasses.replace(i, examples_per_second=0.0) for i in again.history] == told


def test_another_seed_gives_others(trained: Any, tmp_path: Path) -> None:
    other = leaves(train(everything("seed=1"), tmp_path).snapshot.state)
    for name, value in leaves(trained.snapshot.state).items():
        if name.startswith(".params"):
            assert not np.array_equal(value, other[name]), name


def test_two_processes_give_the_same_bits(trained: Any) -> None:
    """Other addresses, another hash seed, one of them without a warm compiler."""
    program = (
        "import hashlib, json, sys, tempfile; from pathlib import Path\n"
        "sys.path[:0] = sys.argv[1:3]\n"
        "from training_cases import everything, leaves, train\n"
        "state = train(everything(), Path(tempfile.mkdtemp())).snapshot.state\n"
        "print(json.dumps({k: hashlib.sha256(v.tobytes()).hexdigest()"
        " for k, v in leaves(state).items()}))\n"
    )
    command = [sys.executable, "-c", program, str(ROOT / "tests"), str(Path(__file__).parent)]
    finished = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True,
        text=True, check=True,
    )


    expected = {
        name: hashlib.sha256(value.tobytes()).hexdigest()
        for name, value in leaves(trained.snapshot.state).items()
    }
    assert json.loads(finished.stdout) == expected


@pytest.mark.parametrize("interval", [5, 12])
def test_where_intervals_are_cut_changes_nothing(
    trained: Any, tmp_path: Path, interval: int
) -> None:
    cut = train(everything(f"trainer.interval={interval}"), tmp_path)
    assert cut.history[-1].step == 12
    assert len(cut.history) == -(-12 // interval)
    assert_identical(cut.snapshot.state, trained.snapshot.state)
    assert cut.history[-1].validation_loss == trained.history[-1].validation_loss


def test_every_example_is_seen_once_an_epoch(tmp_path: Path) -> None:
    """The mean of a loss that ignores the weights shows which labels were in the batches."""
    seen: list[int] = []

    def observe(interval: Interval, state: TrainState) -> None:
        seen.append(interval.step)

    config = small("trainer.batch_size=50", "trainer.interval=1", steps=4)
    result = train(config, tmp_path, observers=[observe])
    assert seen == [1, 2, 3, 4]
    assert int(result.snapshot.batches["epochs_completed"]) == 0
    assert int(result.snapshot.batches["position"]) == 200


def test_observers_see_the_state_at_the_end_of_the_interval(tmp_path: Path) -> None:
    states: list[dict[str, np.ndarray]] = []

    def observe(interval: Interval, state: TrainState) -> None:
        states.append({name: np.array(value) for name, value in leaves(state).items()})

    result = train(small(), tmp_path, observers=[observe])
    assert [int(state[".step"]) for state in states] == [4, 8, 12]
    for name, value in leaves(result.snapshot.state).items():
        np.testing.assert_array_equal(states[-1][name], value)


def test_validation_happens_when_asked_and_at_the_end(tmp_path: Path) -> None:
    result = train(small("trainer.evaluate_every=2", steps=12), tmp_path)
    found = [interval.validation_loss is not None for interval in result.history]
    assert found == [False, True, True]


def without_validation() -> DataSets:
    whole = digits()
    empty = DataSet(whole.train.pixels[:0], whole.train.digits[:0], np.random.RandomState(0))
    return DataSets(whole.train, empty, whole.test)


def test_without_validation_examples_nothing_is_validated(tmp_path: Path) -> None:
    config = small(steps=4)
    result = fit(model.build(config.model), without_validation(), config, tmp_path)
    assert result.history[-1].validation_accuracy is None


def test_early_stopping_without_validation_examples_is_refused(tmp_path: Path) -> None:
    config = small("trainer.early_stopping={patience: 1}")
    with pytest.raises(TrainError, match=r"trainer\.early_stopping: .*validation_size"):
        fit(model.build(config.model), without_validation(), config, tmp_path)


def test_a_model_of_other_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.input_shape=\[100\] does not hold"):
        train(small("model.input_shape=[100]"), tmp_path)


def test_training_stops_early_and_stays_stopped(tmp_path: Path) -> None:
    """Nothing improves by 10: two evaluations after the first it is time."""
    words = (
        "trainer.early_stopping={metric: loss, patience: 2, min_delta: 10.0}",
        "trainer.checkpoint_every=1",
    )
    result = train(small(*words, steps=40), tmp_path)
    assert result.stop is Stop.EARLY
    assert result.history[-1].step == 12
    again = train(small(*words, steps=40), tmp_path, resume=tmp_path)
    assert again.stop is Stop.EARLY
    assert_identical(again.snapshot.state, result.snapshot.state)
    patient = train(
        small(words[0].replace("patience: 2", "patience: 3"), steps=40), tmp_path, resume=tmp_path
    )
    assert patient.history[-1].step == 16


def test_training_learns(tmp_path: Path) -> None:
    words = ("optimizer=adam", "optimizer.learning_rate=0.01", "model.scopes.layer1.units=32")
    result = train(small(*words, steps=120), tmp_path)
    assert result.history[-1].accuracy > 0.95
    assert result.history[-1].loss < result.history[0].loss / 4


def test_a_batch_larger_than_the_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="only 200 examples"):
        train(small("trainer.batch_size=201"), tmp_path)
