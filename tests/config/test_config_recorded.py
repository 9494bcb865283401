"""What is taken from the run that a task begins from, and what the command line keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from configured import CONF
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from pipeline.config import ConfigError, recorded


def composed(*words: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=list(words))


def completed(*words: str) -> DictConfig:
    return recorded.complete(composed(*words), words)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of model=lenet on kmnist with one target of its own, and what lies in it."""
    record = tmp_path / "run" / ".hydra"
    record.mkdir(parents=True)
    (record.parent / "orbax" / "5").mkdir(parents=True)
    made = composed("model=lenet", "dataset=kmnist", "persistence=frozen_graph",
                    "persistence.frozen_graph.file=mine.pb", "seed=5")
    (record / "config.yaml").write_text(OmegaConf.to_yaml(made, resolve=True))
    return record.parent


@pytest.mark.parametrize("inside", ["", "orbax/5", "model.ckpt-5", "deep/er/model.ckpt-5", "x.pb"])
@pytest.mark.parametrize("task", ["evaluate", "export", "predict", "train"])
def test_model_and_data_set_are_those_of_the_run(run: Path, inside: str, task: str) -> None:
    made = completed(f"task={task}", f"restore={run / inside}")
    assert (made.model.name, made.dataset.name) == ("lenet", "kmnist")
    assert (made.seed, made.task.name) == (0, task)
    assert set(made.persistence) == set(composed().persistence)


def test_what_the_command_line_chooses_stays(run: Path) -> None:
    assert completed(f"restore={run}", "model=cnn").model.name == "cnn"
    assert completed(f"restore={run}", "model=cnn").dataset.name == "kmnist"
    assert completed(f"restore={run}", "dataset=mnist").dataset.name == "mnist"
    whole = completed(f"restore={run}", "experiment=book")
    assert (whole.model.name, whole.dataset.name) == ("mlp", "mnist")


def test_single_values_go_into_what_the_run_had(run: Path) -> None:
    made = completed(f"restore={run}", "dataset.directory=elsewhere", "dataset.cache=false")
    assert (made.dataset.name, made.dataset.directory) == ("kmnist", "elsewhere")
    assert made.dataset.cache is False


def test_serving_takes_the_targets_too(run: Path) -> None:
    made = completed("task=serve", f"run={run}")
    assert (made.model.name, made.dataset.name) == ("lenet", "kmnist")
    assert made.persistence.frozen_graph.file == "mine.pb"


@pytest.mark.parametrize("words", [[], ["restore=auto"], ["task=gate", "run={run}"]])
def test_other_tasks_are_left_alone(run: Path, words: list[str]) -> None:
    given = [word.format(run=run) for word in words]
    assert completed(*given).model.name == "mlp"


def test_a_graph_in_no_run_is_its_own_model(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    for name in ("other.pb", "saved"):
        made = completed(f"restore={tmp_path / name}")
        assert made.model.path == str(tmp_path / name)
    assert completed(f"restore={tmp_path / 'model.ckpt-5'}").model.name == "mlp"


@pytest.mark.parametrize("text", ["[1, 2]", "{unclosed", "\0"])
def test_a_record_that_cannot_be_read_is_told(run: Path, text: str) -> None:
    (run / ".hydra" / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml: .*say model=… and dataset=…"):
        completed(f"restore={run}")
    assert completed(f"restore={run}", "model=cnn", "dataset=mnist").model.name == "cnn"


def test_the_composed_configuration_is_not_changed(run: Path) -> None:
    made = composed(f"restore={run}")
    before = OmegaConf.to_yaml(made)
    recorded.complete(made, [f"restore={run}"])
    assert OmegaConf.to_yaml(made) == before
