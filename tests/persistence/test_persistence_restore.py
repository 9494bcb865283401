"""Finding what can be restored, and saying what cannot."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from configured import configured, digits
from persisted_cases import Persisted

from pipeline import checkpoint, model, persistence
from pipeline.errors import PipelineError
from pipeline.persistence import PersistenceError, Trained, find

Runs = Callable[[str], Persisted]


def places(directory: Path) -> dict[str, tuple[str, Path]]:
    """What a user may give, and what should be found there."""
    prefix = directory / "model.ckpt-6"
    return {
        ".": ("orbax", directory / "orbax" / "6"),
        "orbax/6": ("orbax", directory / "orbax" / "6"),
        "model.ckpt-6": ("tf_checkpoint", prefix),
        "model.ckpt-6.index": ("tf_checkpoint", prefix),
        "model.ckpt-6.meta": ("tf_checkpoint", prefix),
        "frozen_graph.pb": ("frozen_graph", directory / "frozen_graph.pb"),
        "saved_model": ("saved_model", directory / "saved_model"),
    }


@pytest.mark.parametrize("name", ["adam", "cnn"])
def test_every_form_gives_the_same_variables_and_logits(persisted: Runs, name: str) -> None:
    run = persisted(name)
    pixels = digits().test.pixels[:9]
    native = model.predict_logits(run.trained.network, run.trained.variables, pixels)
    for given, expected in places(run.directory).items():
        assert find(run.directory / given) == expected, given
        loaded = persistence.load_variables(run.directory / given, run.trained.network)
        assert list(loaded) == list(run.trained.network.specs)
        for key, value in run.trained.variables.items():
            np.testing.assert_array_equal(loaded[key], value, err_msg=f"{given} {key}")
        logits = persistence.load_logits(run.directory / given, run.trained.network, pixels)
        np.testing.assert_allclose(logits, native, rtol=1e-4, atol=1e-5)


def test_the_step_is_in_the_name() -> None:
    for name, step in {"orbax/6": 6, "model.ckpt-5000": 5000, "frozen_graph.pb": 0}.items():
        assert persistence.restore.Found("orbax", Path(name)).step == step


def test_a_run_without_orbax_gives_its_newest_checkpoint(persisted: Runs, tmp_path: Path) -> None:
    run = persisted("sgd")
    for path in run.directory.glob("model.ckpt*"):
        shutil.copy(path, tmp_path)
    shutil.copy(run.directory / "checkpoint", tmp_path)
    assert find(tmp_path) == ("tf_checkpoint", tmp_path / "model.ckpt-6")


GARBAGE = {
    "nothing": lambda path: None,
    "an empty directory": lambda path: path.mkdir(),
    "a text file": lambda path: path.write_text("hello"),
    "an empty file": lambda path: path.write_bytes(b""),
    "an empty graph": lambda path: path.with_suffix(".pb").write_bytes(b""),
    "a graph of noise": lambda path: path.with_suffix(".pb").write_bytes(bytes(range(256)) * 9),
    "an index of noise": lambda path: path.with_suffix(".index").write_bytes(b"\xff" * 100),
    "an empty index": lambda path: path.with_suffix(".index").write_bytes(b""),
    "a state file of noise": lambda path: (path.mkdir(), (path / "checkpoint").write_text("{[")),
    "a saved model of noise": lambda path: (
        path.mkdir(), (path / "saved_model.pb").write_bytes(b"\xff" * 99)
    ),
    "an empty orbax directory": lambda path: (path / "orbax").mkdir(parents=True),
    "an orbax step without arrays": lambda path: (path / "orbax" / "5" / "x").mkdir(parents=True),
    "arrays that are none": lambda path: (path / "7" / "arrays").mkdir(parents=True),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_refused_by_name(persisted: Runs, tmp_path: Path, what: str) -> None:
    path = tmp_path / "given"
    GARBAGE[what](path)
    given = next((p for p in (path.with_suffix(".pb"), path / "7") if p.exists()), path)
    network = persisted("sgd").trained.network
    for action in (
        lambda: persistence.load_variables(given, network),
        lambda: persistence.load_logits(given, network, digits().test.pixels[:2]),
    ):
        with pytest.raises(PipelineError) as refused:
            action()
        assert "given" in str(refused.value), "the text names the path"


def test_a_misfit_names_every_variable(persisted: Runs) -> None:
    run = persisted("sgd")
    other = model.build(configured(
        "model.scopes.layer1.units=7", "+model.scopes.layer1b={kind: dense, units: 10}",
        "~model.scopes.layer2",
    ).model)
    for given in places(run.directory):
        with pytest.raises(PersistenceError, match="does not fit") as refused:
            persistence.load_variables(run.directory / given, other)
        text = str(refused.value)
        assert "layer1/weights: found (784, 6), the model has (784, 7)" in text
        assert "layer1/biases: found (6,), the model has (7,)" in text
        assert "layer1b/weights: missing; the model has (7, 10)" in text
        assert "layer1b/biases: missing" in text


def test_files_are_listed_with_size_and_digest(persisted: Runs) -> None:
    run = persisted("cnn")
    listed: list[Path] = []
    for artifact in run.artifacts.values():
        assert artifact.files
        for file in artifact.files:
            content = (run.directory / file.path).read_bytes()
            assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            listed.append(run.directory / file.path)
    assert len(listed) == len(set(listed)), "no two artefacts share a file"
    on_disk = {path for path in run.directory.rglob("*") if path.is_file()}
    assert set(listed) == on_disk, "every file belongs to an artefact"
    names = [str(file.path) for file in run.artifacts["tf_checkpoint"].files]
    assert names == ["checkpoint", "model.ckpt-6.data-00000-of-00001", "model.ckpt-6.index",
                     "model.ckpt-6.meta"]


def test_the_same_run_writes_the_same_bytes(persisted: Runs, tmp_path: Path) -> None:
    """All but orbax, which names its files at random and writes times."""
    run = persisted("cnn")
    again = persistence.persist(
        {k: v for k, v in run.config.persistence.items() if k != "orbax"}, run.trained, tmp_path
    )
    for artifact in again:
        assert artifact.files == run.artifacts[artifact.target].files


def test_what_a_stopped_run_wrote_is_written_anew(persisted: Runs, tmp_path: Path) -> None:
    run = persisted("sgd")
    again = Path(shutil.copytree(run.directory, tmp_path / "run"))
    (again / "saved_model" / "variables" / "variables.index").unlink()
    made = persistence.persist(run.config.persistence, run.trained, again)
    for artifact in made:
        assert artifact.files == run.artifacts[artifact.target].files


def test_restored_variables_alone_make_every_form_but_orbax(
    persisted: Runs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = persisted("adam")
    bare = Trained(run.trained.network, run.trained.variables, 6)
    asked = run.config.persistence
    with caplog.at_level(logging.INFO):
        forms = persistence.written_from_variables(asked)
    assert list(forms) == [name for name in asked if name != "orbax"]
    assert "orbax is left out" in caplog.text
    made = persistence.persist(forms, bare, tmp_path)
    assert {artifact.target for artifact in made} == set(forms)
    names = set(checkpoint.CheckpointReader(tmp_path / "model.ckpt-6").get_variable_to_shape_map())
    assert names == set(run.trained.network.specs)
    alone = persistence.written_from_variables({"orbax": asked["orbax"]})
    with pytest.raises(PersistenceError, match="complete training state"):
        persistence.persist(alone, bare, tmp_path / "b")


def test_going_on_needs_a_training_state(persisted: Runs) -> None:
    run = persisted("adam")
    for given in ("frozen_graph.pb", "saved_model"):
        with pytest.raises(PersistenceError, match="warm_start"):
            persistence.continue_from(
                run.directory / given, run.trained.network, run.config.optimizer
            )


def test_a_warm_start_takes_values_and_nothing_else(persisted: Runs, tmp_path: Path) -> None:
    run = persisted("adam")
    from pipeline.train.optimizer import build_optimizer
    from pipeline.train.state import init_state

    network = run.trained.network
    optimizer = build_optimizer(run.config.optimizer, lambda step: 0.1)
    fresh = init_state(network, optimizer, run.config.trainer.ema, 3)
    warm = persistence.begin_with(run.directory / "frozen_graph.pb", network)(fresh)
    assert int(warm.step) == 0
    for name, value in run.trained.variables.items():
        np.testing.assert_array_equal(warm.params[name], value)
        np.testing.assert_array_equal(warm.ema[name], value)
    assert replace(warm, params=fresh.params, ema=fresh.ema) == fresh
