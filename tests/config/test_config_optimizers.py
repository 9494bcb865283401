"""The tables of optimizers and schedules: a row is whole, and takes its own options alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import optax
import pytest
from configured import configured

from pipeline.config import ConfigError, optimizers, schedules
from pipeline.config.optimizers import Optimizer
from pipeline.config.tree import CONF

NAMES = sorted(optimizers.NAMES)


def files(directory: Path, pattern: str) -> list[str]:
    return sorted(path.stem for path in directory.glob(pattern)
                  if path.stem not in ("__init__", "row"))


def test_a_row_is_a_file_and_a_choice() -> None:
    """What development.md says: one file, one line in the table, one file in conf/."""
    assert files(Path(optimizers.__file__).parent, "*.py") == NAMES
    assert files(CONF / "optimizer", "*.yaml") == NAMES
    assert files(Path(schedules.__file__).parent, "*.py") == files(CONF / "schedule", "*.yaml")


def test_a_row_without_slots_fails_when_it_is_made() -> None:
    with pytest.raises(TypeError, match=r"Half: an optimizer needs its own \['slots'\]"):

        @dataclass(kw_only=True)
        class Half(Optimizer):
            name: Literal["half"]

            def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
                return optax.sgd(schedule)


@pytest.mark.parametrize(("words", "key"), [
    (["optimizer=sgd", "+optimizer.beta1=0.5"], "optimizer.beta1"),
    (["optimizer=adam", "+optimizer.weight_decay=0.5"], "optimizer.weight_decay"),
    (["schedule=constant", "+schedule.decay_rate=0.5"], "schedule.decay_rate"),
    (["schedule=cosine", "+schedule.staircase=true"], "schedule.staircase"),
])
def test_another_one_s_option_is_refused(words: list[str], key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: unknown key; "):
        configured(*words)


def test_anybody_s_optimizer() -> None:
    config = configured("optimizer=factory", "optimizer.factory=optax.lion",
                        "+optimizer.arguments.b1=0.5")
    state = config.optimizer.build(optax.constant_schedule(0.1)).init({"a": 1.0})
    assert optax.tree_utils.tree_get(state, "mu") is not None


@pytest.mark.parametrize(("words", "complaint"), [
    (["optimizer.factory=optax.nothing"], "module optax has no nothing"),
    (["optimizer.factory=os.system"], "expected a function"),
    (["optimizer.factory=optax.lion", "+optimizer.arguments.b7=0.5"], "refuses optimizer.arg"),
    (["optimizer.factory=optax.l2_loss"], "expected an optax GradientTransformation"),
])
def test_what_is_no_optimizer_is_said_to_be_none(words: list[str], complaint: str) -> None:
    config = configured("optimizer=factory", *words)
    with pytest.raises(ConfigError, match=complaint):
        config.optimizer.build(0.5)  # type: ignore[arg-type]


def test_a_record_of_0_1_holds_the_options_of_all() -> None:
    recorded = {"name": "momentum", "learning_rate": 0.1, "momentum": 0.8, "nesterov": True,
                "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 1e-4,
                "clip_norm": None}
    found = optimizers.from_record(recorded)
    assert found == optimizers.by_name("momentum", learning_rate=0.1, momentum=0.8, nesterov=True)
