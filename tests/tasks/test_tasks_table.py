"""The table of tasks: each is one module, one file of `conf/`, and takes no more than it says."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from configured import CONF, ROOT

from pipeline import tasks
from pipeline.config import ConfigError


def test_the_table_names_every_module_and_every_file() -> None:
    modules = {path.stem for path in (ROOT / "pipeline" / "tasks").glob("*.py")} - {"__init__"}
    assert set(tasks.NAMES) == modules == {path.stem for path in (CONF / "task").glob("*.yaml")}


@pytest.mark.parametrize("name", tasks.NAMES)
def test_a_task_is_its_options_and_a_function(name: str) -> None:
    task = tasks.find(name)
    assert dataclasses.is_dataclass(task.Options)
    assert callable(task.run)
    assert tasks.makes_runs(name) == (name in ("train", "evaluate", "export"))


def test_options_are_read_without_jax() -> None:
    program = ("import sys; from pipeline import tasks; [tasks.options_of(n) for n in tasks.NAMES];"
               "print([n for n in ('jax', 'tensorboard', 'rich') if n in sys.modules])")
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True,
                              text=True, check=True)
    assert finished.stdout.strip() == "[]"


@pytest.mark.parametrize(("name", "override", "told"), [
    ("train", "path=x", "path: task=train does not take it; task=inspect, task=restore_plan and "
                        "task=convert do"),
    ("evaluate", "optimizer.learning_rate=0.1",
     "optimizer.learning_rate: task=evaluate does not take it; task=train does"),
    ("inspect", "+seed=3", "seed: task=inspect does not take it; task=train, task=evaluate and "
                           "task=export do"),
    ("serve", "trainer=default", "trainer: task=serve does not take it; task=train does"),
])
def test_what_a_task_does_not_take_is_refused(name: str, override: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        tasks.refuse_others(name, [f"task={name}", override])
    assert str(refused.value) == told


def test_what_no_task_takes_is_left_to_the_border() -> None:
    tasks.refuse_others("train", ["typo=1", "hydra.run.dir=x", "experiment=book"])
    assert tasks.part_of("train", {"typo": 1, "path": None, "seed": 0}) == {"typo": 1, "seed": 0}


def test_an_unknown_task_is_told_with_its_neighbour() -> None:
    with pytest.raises(ConfigError, match=r"task=evalute: no such task; did you mean 'evaluate'"):
        tasks.find("evalute")
