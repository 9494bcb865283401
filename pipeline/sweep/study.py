"""The Optuna study of a sweep: a journal in its directory, which jobs in any process can write to.

Optuna is an extra: `pip install 'jaxfrost[optuna]'`. It is imported when a study is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config import ConfigError

if TYPE_CHECKING:
    from pipeline.sweep.process import Run
    from pipeline.train import Interval, Observer, Stop, TrainState

_JOURNAL = "optuna.journal"
_NAME = "sweep"
_PRUNER = "pruner"        # the attribute of the study that names it: jobs have to make it, too
PRUNERS = ("median", "hyperband", "none")
SAMPLERS = ("tpe", "random")
# What is known of a run while it trains, by the metric that ranks it.
_MEANWHILE = ("validation_accuracy", "validation_loss")


@dataclass(frozen=True)
class Sampling:
    """How a search draws values; each by a seed of its own, made of this one and its place.

    So a search that was killed and resumed draws what it would have drawn, with no state to keep.
    """

    sampler: str
    seed: int

    def complete(self, study: Any, number: int, space: Mapping[str, Any]) -> dict[str, Any]:
        """A trial's values by key; those are drawn that it has not yet: none has a new trial."""
        optuna = _optuna()
        frozen = study.trials[number]
        for place, (key, distribution) in enumerate(space.items()):
            if key not in frozen.params:
                study.sampler = self.make(number, place)
                optuna.trial.Trial(study, frozen._trial_id)._suggest(key, distribution)
        found = study.trials[number].params
        return {key: found[key] for key in space}

    def make(self, *places: int) -> Any:
        """Optuna's sampler for what is drawn at these places."""
        samplers = _optuna().samplers
        made = {"tpe": samplers.TPESampler, "random": samplers.RandomSampler}[self.sampler]
        seed = np.random.SeedSequence([self.seed, *places]).generate_state(1)[0]
        return made(seed=int(seed))


def open_study(sweep_directory: Path, sampling: Sampling, *, direction: str, pruner: str) -> Any:
    """The study in a sweep's directory, made when there is none.

    Raises:
        ConfigError: Optuna is not installed, or a name is unknown.
    """
    optuna = _optuna()
    for key, value, known in (("sampler", sampling.sampler, SAMPLERS), ("pruner", pruner, PRUNERS)):
        if value not in known:
            raise ConfigError(f"hydra.sweeper.{key}={value}: expected one of {', '.join(known)}")
    study = optuna.create_study(
        study_name=_NAME, storage=_storage(sweep_directory), load_if_exists=True,
        direction={"max": "maximize", "min": "minimize"}[direction],
        sampler=sampling.make(), pruner=_make_pruner(pruner),
    )
    study.set_user_attr(_PRUNER, pruner)
    return study


def observers(run: Run) -> list[Observer]:
    """What reports a run's progress to the study and asks whether to go on; often nothing."""
    number, metric = run.job.number, run.config.sweep.metric
    journal = run.job.directory.parent / _JOURNAL
    if number is None or run.directory != run.job.directory or not journal.exists():
        return []
    if metric not in _MEANWHILE:
        return []
    return [_observer(journal.parent, number, metric)]


def _observer(sweep_directory: Path, number: int, metric: str) -> Observer:
    from pipeline.train import Stop

    optuna = _optuna()
    study = optuna.load_study(study_name=_NAME, storage=_storage(sweep_directory))
    study.pruner = _make_pruner(study.user_attrs[_PRUNER])
    frozen = study.trials[number]
    trial = optuna.trial.Trial(study, frozen._trial_id)
    known = set(frozen.intermediate_values)    # of an attempt that was killed

    def report(interval: Interval, state: TrainState) -> Stop | None:
        value = getattr(interval, metric)
        if value is None:
            return None
        if interval.step not in known:
            trial.report(value, interval.step)
        return Stop.PRUNED if trial.should_prune() else None

    return report


def _optuna() -> Any:
    try:
        import optuna  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise ConfigError(
            "hydra/sweeper=optuna: Optuna is not installed; pip install 'jaxfrost[optuna]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _storage(sweep_directory: Path) -> Any:
    from optuna.storages import JournalStorage  # type: ignore[import-not-found, unused-ignore]
    from optuna.storages.journal import (  # type: ignore[import-not-found, unused-ignore]
        JournalFileBackend,
    )

    return JournalStorage(JournalFileBackend(str(sweep_directory / _JOURNAL)))


def _make_pruner(name: str) -> Any:
    optuna = _optuna()
    pruners = {
        "median": optuna.pruners.MedianPruner,
        "hyperband": optuna.pruners.HyperbandPruner,
        "none": optuna.pruners.NopPruner,
    }
    return pruners[name]()
