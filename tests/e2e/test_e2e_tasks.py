"""The main job from the command line, and what can be done with what it leaves."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml
from command_line import SMALL, Finished, files, metrics, run
from configured import ROOT, digits

from pipeline.report import quantities

Trained = tuple[Path, Finished]


def test_training_leaves_everything_in_its_directory(trained: Trained) -> None:
    found = files(trained[0])
    assert found >= {
        "report.html", "curves.png", "metrics.json", "run.log", "frozen_graph.pb", "graph.meta",
        "model.ckpt-26.index", "model.ckpt-26.data-00000-of-00001", "model.ckpt-26.meta",
        "checkpoint", "saved_model/saved_model.pb", "saved_model/variables/variables.index",
        ".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml", ".hydra/command.txt",
    }
    assert any(name.startswith("orbax/26/") for name in found)
    assert any(name.startswith("tensorboard/events.out.tfevents") for name in found)
    assert not [name for name in found if ".tmp" in name or name.endswith("~")]


def test_no_tensorflow_in_the_process(trained: Trained) -> None:
    assert trained[1].imported == ["jax"]


def test_the_log_tells_of_every_interval_and_the_end(trained: Trained) -> None:
    _, finished = trained
    for step in (4, 24, 26):
        assert f"step {step}/26" in finished.err
    assert "Traceback" not in finished.err
    assert "digits is no substitute for MNIST" in finished.err
    assert "report" in finished.out
    assert "agree" in finished.out


def test_the_figures_are_of_the_whole_test_split(trained: Trained) -> None:
    record = metrics(trained[0])
    assert record["test_examples"] == 360
    assert np.array(record["confusion"]).sum() == 360
    assert record["test_accuracy"] == np.trace(np.array(record["confusion"])) / 360
    assert [entry["step"] for entry in record["history"]] == [4, 8, 12, 16, 20, 24, 26]
    assert record["step"] == 26
    assert all(parity["agrees"] for parity in record["parity"])
    assert len(record["parity"]) >= 5


def test_one_duration_is_told_everywhere(trained: Trained) -> None:
    """From the process's beginning, with what start-up and compiling took."""
    directory, finished = trained
    stages = metrics(directory)["durations"]
    assert set(stages) == {"startup", "data", "model", "compile", "train", "evaluate", "persist",
                           "verify", "judge", "report"}
    assert all(seconds >= 0 for seconds in stages.values())
    total = quantities.duration(sum(stages.values()))
    parts = [f"start-up {quantities.duration(stages['startup'])}",
             f"compiling {quantities.duration(stages['compile'])}"]
    assert f"{total} ({', '.join(parts)})" in finished.out
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert f"<dt>duration</dt><dd>{total}</dd><small>{', '.join(parts)}</small>" in page
    assert "compiled an interval of training in" in finished.err
    ended = json.loads((directory / "outcome.json").read_text())
    assert ended["seconds"] >= sum(stages.values()), "the page is written after all it tells"


def test_the_run_says_how_to_repeat_it(trained: Trained) -> None:
    record = trained[0] / ".hydra"
    command = shlex.split((record / "command.txt").read_text())
    assert command == ["python", f"{ROOT}/run.py", *SMALL, "notes=two words"]
    config = yaml.safe_load((record / "config.yaml").read_text())
    assert config["model"]["scopes"]["layer1"]["units"] == 8
    assert config["notes"] == "two words"
    assert yaml.safe_load((record / "overrides.yaml").read_text()) == command[2:]


def test_tensorflow_agrees_with_the_figures(tf1_graph: ModuleType, trained: Trained) -> None:
    """The accuracy that the run claims is the one that TensorFlow measures on its graph."""
    whole = digits(1300, 137, 360).test
    graph_def = tf1_graph.GraphDef()
    graph_def.ParseFromString((trained[0] / "frozen_graph.pb").read_bytes())
    tf1_graph.import_graph_def(graph_def, name="")
    with tf1_graph.Session() as session:
        images = whole.pixels.reshape(-1, 784) * np.float32(1 / 255)
        found = session.run("probabilities:0", {"input:0": images}).argmax(axis=1)
    assert (found == whole.digits).mean() == pytest.approx(metrics(trained[0])["test_accuracy"])


def test_the_report_needs_no_network(trained: Trained) -> None:
    page = (trained[0] / "report.html").read_text()
    for reference in ('src="http', 'href="http', "url(http", "@import", "<link"):
        assert reference not in page
    assert "layer1/weights" in page
    assert hashlib.sha256((trained[0] / "frozen_graph.pb").read_bytes()).hexdigest()[:12] in page


def test_a_saved_model_is_evaluated(home: Path, trained: Trained) -> None:
    finished = run(
        home, SMALL[-1], "task=evaluate", "restore=trained/frozen_graph.pb",
        "hydra.run.dir=evaluated",
    )
    assert finished.code == 0, finished.err
    ours, theirs = metrics(home / "evaluated"), metrics(trained[0])
    for key in ("test_accuracy", "confusion", "per_class"):
        assert ours[key] == theirs[key]
    assert ours["test_loss"] == pytest.approx(theirs["test_loss"], rel=1e-5)
    assert (home / "evaluated" / "report.html").is_file()


def test_a_checkpoint_is_exported(home: Path, trained: Trained) -> None:
    finished = run(
        home, SMALL[-1], "task=export", "restore=trained/model.ckpt-26", "persistence=frozen_graph",
        "hydra.run.dir=exported",
    )
    assert finished.code == 0, finished.err
    exported = home / "exported" / "frozen_graph.pb"
    assert exported.read_bytes() == (trained[0] / "frozen_graph.pb").read_bytes()
    assert not (home / "exported" / "orbax").exists()


def test_inspecting_leaves_nothing_and_needs_no_jax(home: Path, trained: Trained) -> None:
    before = files(home)
    finished = run(home, "task=inspect", "path=trained/model.ckpt-26")
    assert finished.code == 0, finished.err
    for name in ("layer1/weights", "layer1/weights/Adam", "beta1_power", "global_step"):
        assert name in finished.out
    assert finished.imported == []
    assert files(home) == before


def test_a_user_s_own_module_is_trained_and_exported(home: Path, tf1_graph: ModuleType) -> None:
    finished = run(
        home, "trainer.epochs=2", "model=module", "model.module=configured_module.Perceptron",
        "+model.arguments.width=8", "hydra.run.dir=module",
    )
    assert finished.code == 0, finished.err
    assert finished.imported == ["jax"]
    record = metrics(home / "module")
    assert all(parity["agrees"] for parity in record["parity"])
    graph_def = tf1_graph.GraphDef()
    graph_def.ParseFromString((home / "module" / "frozen_graph.pb").read_bytes())
    tf1_graph.import_graph_def(graph_def, name="")
    with tf1_graph.Session() as session:
        made = session.run("probabilities:0", {"input:0": np.zeros((3, 784), np.float32)})
    np.testing.assert_allclose(made.sum(axis=1), 1.0, rtol=1e-5)
    names = {name for name, _ in tf1_graph.train.list_variables(str(home / "module"))}
    assert any("hidden" in name for name in names)


def test_a_mistake_is_told_in_a_line_and_leaves_nothing(home: Path) -> None:
    finished = run(home, "+typo=1", "trainer.epochs=0", "hydra.run.dir=refused")
    assert finished.code == 1
    assert "typo: unknown key" in finished.err
    assert "trainer.epochs=0: input should be greater than 0" in finished.err
    assert "Traceback" not in finished.err
    assert not (home / "refused").exists()
    assert finished.imported == []


def test_a_value_that_a_choice_requires_is_asked_for_by_its_key(home: Path) -> None:
    finished = run(home, "model=imported")
    assert finished.code == 1
    assert "error: model.path: is required and was not given; say model.path=…" in finished.err
    assert finished.imported == []
