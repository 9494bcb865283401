"""A search by Optuna that is killed anywhere and resumed is the search that never was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.storages import JournalStorage

from pipeline.sweep.optuna_sweeper import OptunaSweeper

SPACE = ["model=softmax", "a=interval(0.0,1.0)", "b=tag(log,interval(1e-4,1e-1))", "c=x,y,z",
         "d=range(1,9)"]
TRIALS = 13          # TPE draws the first ten at random


class Killed(BaseException):
    """What a kill would end."""


class Launcher:
    """Runs nothing: what a job returns is a function of its overrides."""

    def __init__(self, told: dict[int, tuple[str, ...]]) -> None:
        self.told = told

    def launch(self, jobs: Sequence[Sequence[str]], initial_job_idx: int) -> list[Any]:
        self.told |= {initial_job_idx + k: tuple(words) for k, words in enumerate(jobs)}
        return [SimpleNamespace(return_value=(hash_of(words))) for words in jobs]


def hash_of(words: Sequence[str]) -> float:
    values = dict(word.split("=") for word in words)
    return -abs(float(values["a"]) - 0.3) - float(values["b"]) - 0.1 * "xyz".index(values["c"])


def search(directory: Path, sampler: str, n_jobs: int) -> dict[int, tuple[str, ...]]:
    sweeper = OptunaSweeper(TRIALS, n_jobs, sampler, "none")
    sweeper.config = OmegaConf.create({
        "seed": 3, "sweep": {"direction": "max"}, "hydra": {"sweep": {"dir": str(directory)}}})
    told: dict[int, tuple[str, ...]] = {}
    sweeper.launcher = Launcher(told)  # type: ignore[assignment]
    sweeper.sweep(SPACE)
    return told


def trials(directory: Path) -> list[Any]:
    backend = optuna.storages.journal.JournalFileBackend(str(directory / "optuna.journal"))
    study = optuna.load_study(study_name="sweep", storage=JournalStorage(backend))
    return [(one.number, one.state.name, one.params, one.value) for one in study.trials]


@pytest.mark.parametrize(("sampler", "n_jobs"), [("tpe", 1), ("tpe", 4), ("random", 3)])
def test_a_killed_search_draws_what_it_would_have_drawn(
    sampler: str, n_jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before every 7th write to the journal: between two trials, or two of one's values."""
    search(tmp_path / "undisturbed", sampler, n_jobs)
    writes = 0

    def killing(method: Any) -> Any:
        def write(*arguments: Any, **named: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes % 7 == 0:
                raise Killed
            return method(*arguments, **named)
        return write

    kills = 0
    with monkeypatch.context() as patched:
        for name in ("create_new_trial", "set_trial_param", "set_trial_state_values"):
            patched.setattr(JournalStorage, name, killing(getattr(JournalStorage, name)))
        while True:
            try:
                search(tmp_path / "killed", sampler, n_jobs)
            except Killed:
                kills += 1
            else:
                break
    assert kills > TRIALS // 2
    found = trials(tmp_path / "killed")
    assert found == trials(tmp_path / "undisturbed")
    assert [one[1] for one in found] == TRIALS * ["COMPLETE"]


def test_no_two_trials_draw_the_same(tmp_path: Path) -> None:
    told = search(tmp_path, "random", 2)
    assert len(set(told.values())) == len(told) == TRIALS
    assert all(words[0] == "model=softmax" and len(words) == 5 for words in told.values())
