"""The Optuna study of a sweep: a journal in its directory, which jobs in any process can write to.

Optuna is an extra: `pip install 'jaxfrost[optuna]'`. It is imported when a study is wanted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def open_study(
    sweep_directory: Path, *, direction: str, sampler: str, pruner: str, seed: int
) -> Any:
    """The study in a sweep's directory, made when there is none.

    Raises:
        ConfigError: Optuna is not installed, or a name is unknown.
    """
    optuna = _optuna()
    for key, value, known in (("sampler", sampler, SAMPLERS), ("pruner", pruner, PRUNERS)):
        if value not in known:
            raise ConfigError(f"hydra.sweeper.{key}={value}: expected one of {', '.join(known)}")
    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    study = optuna.create_study(
        study_name=_NAME, storage=_storage(sweep_directory), load_if_exists=True,
        direction={"max": "maximize", "min": "minimize"}[direction],
        sampler=samplers[sampler](seed=seed), pruner=_make_pruner(pruner),
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
    trial = optuna.trial.Trial(study, study.trials[number]._trial_id)

    def report(interval: Interval, state: TrainState) -> Stop | None:
        value = getattr(interval, metric)
        if value is None:
            return None
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
