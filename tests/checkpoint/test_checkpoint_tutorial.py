"""The tutorial's saving, restoring and reading, block by block (§3 and the reader of §5)."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType

import pytest

from pipeline import scopes
from pipeline.checkpoint import NewCheckpointReader, NotFoundError, Saver, latest_checkpoint


def define(offset: float = 0.0) -> scopes.VariableStore:
    """`v1 = tf.Variable(tf.constant(1.0, shape=[1]), name='v1')`, and `v2` likewise."""
    store = scopes.VariableStore()
    with store.as_default():
        for name, value in (("v1", 1.0), ("v2", 2.0)):
            scopes.get_variable(name, [1], initializer=scopes.constant_initializer(value + offset))
    return store


def result(store: scopes.VariableStore) -> list[float]:
    return (store["v1"].read() + store["v2"].read()).tolist()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """`saver.save(sess, 'tensorboard/model.ckpt')`"""
    monkeypatch.chdir(tmp_path)
    saved = Saver(define()).save("tensorboard/model.ckpt")
    assert saved == "tensorboard/model.ckpt"
    return saved


def test_the_directory_lists_its_models(path: str) -> None:
    assert Path("tensorboard/checkpoint").read_text() == (
        'model_checkpoint_path: "model.ckpt"\nall_model_checkpoint_paths: "model.ckpt"\n')
    assert latest_checkpoint("tensorboard") == path


def test_restoring_needs_no_initialization(path: str, caplog: pytest.LogCaptureFixture) -> None:
    store = define(offset=10)
    with caplog.at_level(logging.INFO):
        Saver(store).restore(path)
    assert result(store) == [3.0]
    assert "Restoring parameters from tensorboard/model.ckpt" in caplog.text


def test_only_a_part_is_loaded(path: str) -> None:
    store = define(offset=10)
    Saver([store["v1"]]).restore(path)
    assert result(store) == [13.0]


def test_renamed_on_saving_or_loading(path: str) -> None:
    store = define()
    with pytest.raises(NotFoundError, match="other_name"):
        Saver({"other_name": store["v1"]}).restore(path)
    renamed = Saver({"other_name": store["v1"]}).save("tensorboard/renamed.ckpt")
    assert NewCheckpointReader(renamed or "").get_variable_to_shape_map() == {"other_name": [1]}
    Saver({"v2": store["v1"]}).restore(path)
    assert store["v1"].read() == 2.0


def test_the_program_of_the_book_restores_ours(path: str, tf1_graph: ModuleType) -> None:
    v1 = tf1_graph.Variable(tf1_graph.constant(0.0, shape=[1]), name="v1")
    v2 = tf1_graph.Variable(tf1_graph.constant(0.0, shape=[1]), name="v2")
    with tf1_graph.Session() as session:
        tf1_graph.train.Saver().restore(session, path)
        assert session.run(v1 + v2).tolist() == [3.0]
        tf1_graph.train.Saver().save(session, "tensorboard/theirs.ckpt")
    store = define(offset=10)
    Saver(store).restore("tensorboard/theirs.ckpt")
    assert result(store) == [3.0]


def test_the_reader_of_section_5(path: str) -> None:
    reader = NewCheckpointReader(path)
    assert reader.get_variable_to_shape_map() == {"v1": [1], "v2": [1]}
    assert reader.get_tensor("v1").tolist() == [1.0]
