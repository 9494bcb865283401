"""The `checkpoint` file, row by row (tf1_semantics.md D1–D4), beside TensorFlow's own."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from checkpoint_cases import cases

from pipeline.checkpoint import (
    CheckpointState,
    InvalidArgumentError,
    Saver,
    get_checkpoint_state,
    latest_checkpoint,
    update_checkpoint_state,
)

VALUES = {"v1": np.float32([1.0])}


def test_d1_is_text_of_two_fields(tmp_path: Path) -> None:
    saver = Saver(VALUES)
    for step in (1, 2):
        saver.save(tmp_path / "m", global_step=step)
    assert (tmp_path / "checkpoint").read_text() == (
        'model_checkpoint_path: "m-2"\n'
        'all_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n')


@pytest.mark.parametrize("relative", [True, False])
def test_d2_paths_are_written_as_tensorflow_writes_them(
    tmp_path: Path, tf1_graph: ModuleType, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    """Absolute, relative, and a sibling directory's entry; all four files, byte for byte."""
    tf1_graph.Variable([1.0], name="v1")
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        theirs = tf1_graph.train.Saver(save_relative_paths=relative)
        ours = Saver(VALUES, save_relative_paths=relative)
        for side in ("theirs", "ours"):
            (tmp_path / side).mkdir()
            monkeypatch.chdir(tmp_path / side)
            for path, step in (("m2/model.ckpt", None), ("m/model.ckpt", 3), ("bare", None)):
                if side == "ours":
                    assert ours.save(path, global_step=step) == (
                        path if step is None else f"{path}-{step}")
                else:
                    theirs.save(session, path, global_step=step)
    states = ("m2/checkpoint", "m/checkpoint", "checkpoint")
    if not relative:
        assert [(tmp_path / "ours" / state).read_text() for state in states] == [
            (tmp_path / "theirs" / state).read_text() for state in states]
    assert (tmp_path / "ours/m/checkpoint").read_text() == (
        'model_checkpoint_path: "model.ckpt-3"\n'
        'all_model_checkpoint_paths: "../m2/model.ckpt"\n'
        'all_model_checkpoint_paths: "model.ckpt-3"\n')
    assert latest_checkpoint("m") == "m/model.ckpt-3"
    assert latest_checkpoint(".") == "./bare"


def test_d2_absolute_paths_when_asked_for(tmp_path: Path) -> None:
    Saver(VALUES, save_relative_paths=False).save(tmp_path / "m")
    assert (tmp_path / "checkpoint").read_text() == (
        f'model_checkpoint_path: "{tmp_path}/m"\nall_model_checkpoint_paths: "{tmp_path}/m"\n')


def test_d3_reading(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = tmp_path / "checkpoint"
    assert get_checkpoint_state(tmp_path) is None
    assert latest_checkpoint(tmp_path) is None
    state.write_text("garbage {")
    with caplog.at_level(logging.WARNING):
        assert latest_checkpoint(tmp_path) is None
    assert "checkpoint ignored" in caplog.text
    state.write_text('all_model_checkpoint_paths: "m"\n')
    with pytest.raises(InvalidArgumentError,
                       match=f"^Invalid checkpoint state loaded from {tmp_path}"):
        latest_checkpoint(tmp_path)
    state.write_text('model_checkpoint_path: "rel"\nall_model_checkpoint_paths: "/abs"\n')
    assert get_checkpoint_state(tmp_path) == CheckpointState(f"{tmp_path}/rel", ("/abs",))
    assert get_checkpoint_state(tmp_path, "other") is None


def test_d4_a_moved_directory_still_has_its_latest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saver = Saver(VALUES, save_relative_paths=False)
    (tmp_path / "before").mkdir()
    path = saver.save(tmp_path / "before/m")
    os.rename(tmp_path / "before", tmp_path / "after")
    assert latest_checkpoint(tmp_path / "after") == f"{tmp_path}/after/m"
    (tmp_path / "after/m.index").unlink()
    assert latest_checkpoint(tmp_path / "after") is None
    assert f"Couldn't match files for checkpoint {path}" in caplog.text


def test_tensorflow_finds_our_latest(tmp_path: Path, tf: ModuleType) -> None:
    path = Saver(VALUES).save(tmp_path / "m", global_step=12)
    assert tf.train.latest_checkpoint(str(tmp_path)) == path


def test_states_of_tensorflow_2s_manager(tmp_path: Path, tf: ModuleType) -> None:
    checkpoint = tf.train.Checkpoint(v=tf.Variable(1.0))
    manager = tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=2)
    for _ in range(3):
        manager.save()
    state = get_checkpoint_state(tmp_path)
    assert state is not None
    assert list(state.all_model_checkpoint_paths) == manager.checkpoints
    assert latest_checkpoint(tmp_path) == manager.latest_checkpoint
    assert len(state.all_model_checkpoint_timestamps) == 2
    assert state.last_preserved_timestamp is not None


@pytest.mark.parametrize("text", [
    "model_checkpoint_path: 'a'", 'model_checkpoint_path: "a" \'b\' # c\n',
    'all_model_checkpoint_paths: ["x", "y"], model_checkpoint_path: "a";',
    'model_checkpoint_path: "a" model_checkpoint_path: "b"',
    'model_checkpoint_path: "\\x41\\101\\u00e9\\"\\n\\\\é"',
    'model_checkpoint_path:"a" last_preserved_timestamp: 1.5e3',
    'model_checkpoint_path:"a" last_preserved_timestamp:inf all_model_checkpoint_timestamps:[1f,2]',
    "", "# only a comment",
])
def test_texts_that_protobuf_reads(tf: ModuleType, text: str) -> None:
    judge = text_format_of(tf, text)
    found = CheckpointState.decode(text.encode())
    assert found.model_checkpoint_path == judge.model_checkpoint_path
    assert list(found.all_model_checkpoint_paths) == judge.all_model_checkpoint_paths
    assert list(found.all_model_checkpoint_timestamps) == judge.all_model_checkpoint_timestamps
    assert (found.last_preserved_timestamp or 0) == judge.last_preserved_timestamp


@pytest.mark.parametrize("text", [
    "foo: 3", 'model_checkpoint_path "a"', 'model_checkpoint_path: "a', "model_checkpoint_path: a",
    'model_checkpoint_path: "a" last_preserved_timestamp: "x"', 'model_checkpoint_path: ["a" "b"',
    'model_checkpoint_path: "\\q"', "last_preserved_timestamp: 1.2.3", "# " * 5000 + "\n?",
    'model_checkpoint_path: "\\777"',
])
def test_texts_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        CheckpointState.decode(text.encode())


def text_format_of(tf: ModuleType, text: str) -> Any:
    from google.protobuf import text_format
    from tensorflow.python.training import checkpoint_state_pb2

    return text_format.Merge(text, checkpoint_state_pb2.CheckpointState())


def test_any_path_is_written_as_protobuf_writes_it(tf: ModuleType) -> None:
    from google.protobuf import text_format
    from tensorflow.python.training import checkpoint_state_pb2

    letters = list("ab/ \"'\\\n\t\r\x01\x7f\x1bé漢#:\u2028")
    for case in range(cases(200)):
        random = np.random.default_rng(case)
        paths = ["".join(random.choice(letters, random.integers(1, 9))) for _ in range(3)]
        state = CheckpointState(paths[0], tuple(paths), (1.5, float(random.random())), 1e300)
        judge = checkpoint_state_pb2.CheckpointState(
            model_checkpoint_path=paths[0], all_model_checkpoint_paths=paths,
            all_model_checkpoint_timestamps=state.all_model_checkpoint_timestamps,
            last_preserved_timestamp=1e300)
        assert state.encode().decode() == text_format.MessageToString(judge)
        assert CheckpointState.decode(state.encode()) == state


def test_update_adds_the_latest_to_the_list(tmp_path: Path) -> None:
    update_checkpoint_state(tmp_path, str(tmp_path / "b"), [str(tmp_path / "a")])
    state = get_checkpoint_state(tmp_path)
    assert state is not None
    assert state.all_model_checkpoint_paths == (f"{tmp_path}/a", f"{tmp_path}/b")
