"""Which checkpoints stay (tf1_semantics.md C13–C16), and what we keep beyond TensorFlow."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from checkpoint_cases import cases

from pipeline.checkpoint import Saver, get_checkpoint_state, latest_checkpoint, retention

VALUES = {"v": np.float32([1.0])}


def steps(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("*.index"))


def listed(directory: Path, name: str = "checkpoint") -> list[str]:
    state = get_checkpoint_state(directory, name)
    assert state is not None
    return [os.path.basename(path) for path in state.all_model_checkpoint_paths]


def save(directory: Path, numbers: Any, saver: Saver | None = None, **options: Any) -> Saver:
    saver = saver or Saver(VALUES, **options)
    for number in numbers:
        saver.save(directory / "m", global_step=number)
    return saver


def test_c13_the_last_five_stay(tmp_path: Path) -> None:
    saver = save(tmp_path, range(8))
    expected = [f"m-{step}" for step in range(3, 8)]
    assert steps(tmp_path) == listed(tmp_path) == expected
    assert saver.last_checkpoints == [f"{tmp_path}/{name}" for name in expected]


@pytest.mark.parametrize("keep", [0, None])
def test_c13_all_stay_and_only_the_latest_is_listed(tmp_path: Path, keep: int | None) -> None:
    saver = save(tmp_path, range(3), max_to_keep=keep)
    assert steps(tmp_path) == ["m-0", "m-1", "m-2"]
    assert listed(tmp_path) == ["m-2"]
    assert saver.saver_def.max_to_keep == 0


def test_c14_a_name_saved_again_is_the_newest(tmp_path: Path) -> None:
    saver = save(tmp_path, (1, 2, 1), max_to_keep=2)
    assert saver.last_checkpoints == [f"{tmp_path}/m-2", f"{tmp_path}/m-1"]
    assert steps(tmp_path) == ["m-1", "m-2"]


def test_c14_all_files_of_a_checkpoint_go(tmp_path: Path) -> None:
    saver = Saver({"a": np.ones(1), "b": np.ones(1)}, max_to_keep=1, meta_graph=b"g")
    saver.save(tmp_path / "m[1]", global_step=1)
    (tmp_path / "m[1]-1.data-00001-of-00002").write_bytes(b"")
    (tmp_path / "m1-1.data-00000-of-00001").write_bytes(b"another's")
    saver.save(tmp_path / "m[1]", global_step=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint", "m1-1.data-00000-of-00001", "m[1]-2.data-00000-of-00001", "m[1]-2.index",
        "m[1]-2.meta"]


def test_c14_a_failure_to_remove_is_only_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    saver = save(tmp_path, [0], max_to_keep=1)

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.unlink", refuse)
    with caplog.at_level(logging.WARNING):
        save(tmp_path, [1], saver)
    assert "cannot remove" in caplog.text
    assert listed(tmp_path) == ["m-1"]


def test_c15_retention_survives_a_restart(tmp_path: Path) -> None:
    """TensorFlow's second Saver would leave m-0 and m-1 for good."""
    save(tmp_path, range(2), max_to_keep=2)
    save(tmp_path, range(2, 5), max_to_keep=2)
    assert steps(tmp_path) == listed(tmp_path) == ["m-3", "m-4"]


def test_c15_recover_by_hand_as_in_tensorflow(tmp_path: Path) -> None:
    save(tmp_path, (3, 4), max_to_keep=2)
    saver = Saver(VALUES, max_to_keep=2)
    saver.recover_last_checkpoints([f"{tmp_path}/m-3", f"{tmp_path}/m-4", f"{tmp_path}/gone"])
    assert saver.last_checkpoints == [f"{tmp_path}/m-3", f"{tmp_path}/m-4"]
    save(tmp_path, [9], saver)
    assert steps(tmp_path) == listed(tmp_path) == ["m-4", "m-9"]


def test_c15_recovers_in_the_order_of_the_files_age(tmp_path: Path) -> None:
    save(tmp_path, (1, 2, 3))
    os.utime(tmp_path / "m-3.index", (1, 1))
    saver = Saver(VALUES)
    saver.recover_last_checkpoints([f"{tmp_path}/m-{step}" for step in (1, 2, 3)])
    assert saver.last_checkpoints == [f"{tmp_path}/m-{step}" for step in (3, 1, 2)]


def test_a_restart_after_the_directory_was_moved(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    save(tmp_path / "before", range(2), max_to_keep=2, save_relative_paths=False)
    os.rename(tmp_path / "before", tmp_path / "after")
    save(tmp_path / "after", range(2, 4), max_to_keep=2)
    assert steps(tmp_path / "after") == listed(tmp_path / "after") == ["m-2", "m-3"]


def test_what_other_savers_saved_is_never_removed_and_stays_listed(tmp_path: Path) -> None:
    """`best` and `last` in one directory, each with its own Saver, across a restart."""
    for start in (0, 3):
        best, last = Saver(VALUES, max_to_keep=1), Saver(VALUES, max_to_keep=2)
        for step in range(start, start + 3):
            best.save(tmp_path / "best", global_step=step)
            last.save(tmp_path / "last", global_step=step)
    assert steps(tmp_path) == ["best-5", "last-4", "last-5"]
    assert sorted(listed(tmp_path)) == ["best-5", "last-4", "last-5"]
    assert latest_checkpoint(tmp_path) == f"{tmp_path}/last-5"


def test_two_savers_of_one_name_do_not_remove_each_others(tmp_path: Path) -> None:
    one, other = Saver(VALUES, max_to_keep=1), Saver(VALUES, max_to_keep=1)
    save(tmp_path, [0], one)
    save(tmp_path, [1], other)
    save(tmp_path, [2], one)
    save(tmp_path, [3], other)
    assert latest_checkpoint(tmp_path) == f"{tmp_path}/m-3"
    assert set(steps(tmp_path)) >= {"m-2", "m-3"}
    assert set(listed(tmp_path)) <= set(steps(tmp_path))


def test_what_someone_else_removed_is_no_longer_listed(tmp_path: Path) -> None:
    saver = save(tmp_path, range(3))
    retention.remove_checkpoint(tmp_path / "m-1")
    save(tmp_path, [3], saver)
    assert listed(tmp_path) == ["m-0", "m-2", "m-3"]


def test_c16_one_every_so_many_hours_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tf1_graph: ModuleType
) -> None:
    """Saves every 0.3 s with a period of 0.5 s, on one clock for both."""
    clock = [1000.0]
    monkeypatch.setattr(retention.time, "time", lambda: clock[0])
    tf1_graph.Variable([1.0], name="v")
    (tmp_path / "theirs").mkdir()
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        theirs = tf1_graph.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=0.5 / 3600)
        ours = Saver(VALUES, max_to_keep=1, keep_checkpoint_every_n_hours=0.5 / 3600)
        for step in range(9):
            save(tmp_path / "ours", [step], ours)
            theirs.save(session, str(tmp_path / "theirs/m"), global_step=step)
            clock[0] += 0.3
    assert steps(tmp_path / "ours") == steps(tmp_path / "theirs")
    assert len(steps(tmp_path / "ours")) > 2
    assert listed(tmp_path / "ours") == listed(tmp_path / "theirs") == ["m-8"]


def test_c16_the_period_goes_on_across_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that restarts every hour still keeps one every two hours."""
    clock = [1000.0]
    monkeypatch.setattr(retention.time, "time", lambda: clock[0])
    monkeypatch.setattr(retention.os.path, "getmtime", lambda path: clock[0] - 1800)
    for step in range(12):
        saver = Saver(VALUES, max_to_keep=1, keep_checkpoint_every_n_hours=2)
        save(tmp_path, [step], saver)
        clock[0] += 3600
    assert len(steps(tmp_path)) > 3


def test_what_another_saver_replaced_meanwhile_stays(tmp_path: Path) -> None:
    one, other = Saver(VALUES, max_to_keep=1), Saver(VALUES, max_to_keep=1)
    one.save(tmp_path / "m")
    other.save(tmp_path / "m", write_state=False)
    one.save(tmp_path / "m", global_step=1)
    assert steps(tmp_path) == ["m", "m-1"]
    assert latest_checkpoint(tmp_path) == f"{tmp_path}/m-1"


def test_what_stays_at_any_times_is_what_stays_in_tensorflow(
    tmp_path: Path, tf1_graph: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps that repeat, any pauses between them, and every way to keep some for good."""
    clock = [0.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    tf1_graph.get_variable("v", [1], initializer=tf1_graph.zeros_initializer())

    def left(directory: Path, make: Callable[[], Callable[..., Any]], plan: Any) -> Any:
        directory.mkdir(parents=True)
        clock[0] = 1e9
        save = make()
        for pause, step in plan:
            clock[0] += float(pause)
            save(f"{directory}/m", step)
        return steps(directory), listed(directory)

    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        for case in range(cases(12)):
            random = np.random.default_rng(case)
            options = {"max_to_keep": [0, 1, 2, 3, None][random.integers(5)],
                       "keep_checkpoint_every_n_hours": [0.5, 1, 2, 10000][random.integers(4)]}
            plan = random.integers([4000, 12], size=(12, 2)).tolist()
            theirs = left(tmp_path / f"{case}/theirs", lambda o=options: partial(
                tf1_graph.train.Saver(**o).save, session, write_meta_graph=False), plan)
            ours = left(tmp_path / f"{case}/ours", lambda o=options: Saver(VALUES, **o).save, plan)
            assert ours == theirs, f"case {case}: {options} {plan}"
