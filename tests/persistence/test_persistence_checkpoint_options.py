"""Every option of the target `tf_checkpoint`, with TensorFlow as the reader of what it wrote."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from configured import CONF, digits
from persisted_cases import Persisted, recipe

from pipeline import persistence
from pipeline.config.persistence import TfCheckpointTarget
from pipeline.verification import verify

Runs = Callable[[str], Persisted]


def written(run: Persisted, directory: Path, **options: Any) -> Path:
    """The prefix of a checkpoint with these options, which agrees with its model."""
    words = [f"persistence.tf_checkpoint.{key}={value}" for key, value in options.items()]
    config = recipe("adam", "persistence=tf_checkpoint", *words)
    made = persistence.persist(config.persistence, run.trained, directory)
    parities = verify(run.trained, config.persistence, made, digits().test.pixels,
                      config.verification)
    assert parities
    assert all(parity.agrees for parity in parities), parities
    listed = {file.path for file in made[0].files}
    assert listed == {path.relative_to(directory) for path in directory.rglob("*")}
    return made[0].path


def read(tf: ModuleType, prefix: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_every_option_is_spelled_out_with_its_default() -> None:
    """Hydra lets a command line change only what a file spells."""
    spelled = yaml.safe_load((CONF / "persistence/tf_checkpoint.yaml").read_text())
    assert TfCheckpointTarget(**spelled["tf_checkpoint"]) == TfCheckpointTarget(
        kind="tf_checkpoint")
    assert set(spelled["tf_checkpoint"]) == {one.name for one in fields(TfCheckpointTarget)}


def test_data_files(tf: ModuleType, persisted: Runs, tmp_path: Path) -> None:
    run = persisted("adam")
    one = read(tf, written(run, tmp_path / "one"))
    prefix = written(run, tmp_path / "three", shards=3)
    data = sorted(prefix.parent.glob(f"{prefix.name}.data-*"))
    assert [path.suffix for path in data] == [f".data-0000{n}-of-00003" for n in range(3)]
    sizes = [path.stat().st_size for path in data]
    assert max(sizes) < sum(sizes) / 3 + max(value.nbytes for value in one.values())
    three = read(tf, prefix)
    assert three.keys() == one.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(three[name], value)
    many = written(run, tmp_path / "many", shards=1000)
    assert len(list(many.parent.glob(f"{many.name}.data-*"))) == len(one)
    assert read(tf, many).keys() == one.keys()


def test_names_and_state(tf: ModuleType, persisted: Runs, tmp_path: Path) -> None:
    run = persisted("adam")
    assert written(run, tmp_path / "padded", pad_step_number="true").name == "model.ckpt-00000006"
    plain = written(run, tmp_path / "plain", global_step="false")
    assert plain.name == "model.ckpt"
    assert tf.train.latest_checkpoint(str(plain.parent)) == str(plain)
    silent = written(run, tmp_path / "silent", write_state="false")
    assert tf.train.latest_checkpoint(str(silent.parent)) is None
    other = written(run, tmp_path / "other", latest_filename="latest")
    assert tf.train.latest_checkpoint(str(other.parent), "latest") == str(other)
    fixed = written(run, tmp_path / "fixed", save_relative_paths="false")
    assert f'"{fixed}"' in (fixed.parent / "checkpoint").read_text()
    moved = tmp_path / "moved"
    shutil.move(str(plain.parent), moved)
    assert tf.train.latest_checkpoint(str(moved)) == str(moved / "model.ckpt")


def test_what_is_in_it(tf: ModuleType, persisted: Runs, tmp_path: Path) -> None:
    run = persisted("adam")
    raw = written(run, tmp_path / "raw", averages="false")
    names = read(tf, raw)
    assert not {name for name in names if "Average" in name}
    np.testing.assert_array_equal(names["layer1/weights"], run.trained.current["layer1/weights"])
    bare = read(tf, written(run, tmp_path / "bare", averages="false", optimizer_slots="false"))
    assert set(bare) == {*run.trained.current, "global_step"}
    aligned = written(run, tmp_path / "aligned", align=64)
    whole = read(tf, aligned)
    assert whole.keys() == names.keys() | {name for name in whole if "Average" in name}


@pytest.mark.parametrize("resource", ["true", "false"])
def test_its_graph_makes_the_saver_that_was_asked_for(
    tf1_graph: ModuleType, persisted: Runs, tmp_path: Path, resource: str
) -> None:
    prefix = written(persisted("adam"), tmp_path, max_to_keep=3, resource_variables=resource,
                     keep_checkpoint_every_n_hours=2.5, shards=2)
    saver = tf1_graph.train.import_meta_graph(f"{prefix}.meta")
    saver_def = saver.as_saver_def()
    assert (saver_def.max_to_keep, saver_def.keep_checkpoint_every_n_hours) == (3, 2.5)
    with tf1_graph.Session() as session:
        saver.restore(session, str(prefix))
        values = {variable.op.name: session.run(variable)
                  for variable in tf1_graph.global_variables()}
    for name, value in persisted("adam").trained.current.items():
        np.testing.assert_array_equal(values[name], value)
    lone = written(persisted("adam"), tmp_path / "lone", write_meta_graph="false")
    assert not Path(f"{lone}.meta").exists()
