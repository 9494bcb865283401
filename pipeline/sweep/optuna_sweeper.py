"""Hydra's part of a sweep by Optuna: which overrides the next jobs get.

Not hydra-optuna-sweeper: its latest, 1.3.0, is for Optuna 2, and its jobs cannot report how they
are doing, so it never prunes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from pipeline import gate
from pipeline.sweep import stopping
from pipeline.sweep.process import Stopped


class OptunaSweeper(Sweeper):
    """Asks a study for values, runs jobs with them, tells it what came of them.

    Args:
        n_trials: all of them, those before a `sweep.resume` included.
        n_jobs: given to the launcher at a time.
        sampler: tpe or random; seeded with the configuration's `seed`.
        pruner: median, hyperband or none.
    """

    def __init__(self, n_trials: int, n_jobs: int, sampler: str, pruner: str) -> None:
        self._n_trials, self._n_jobs = n_trials, n_jobs
        self._sampler, self._pruner = sampler, pruner

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Hydra's own: called once before `sweep`."""
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            config=config, hydra_context=hydra_context, task_function=task_function
        )

    def sweep(self, arguments: list[str]) -> None:
        """Runs all trials; a job's number is its trial's."""
        from pipeline.sweep.study import Sampling, open_study

        assert self.config is not None, "Hydra calls setup first"
        directory = Path(self.config.hydra.sweep.dir)
        directory.mkdir(parents=True, exist_ok=True)
        sampling = Sampling(self._sampler, int(self.config.seed))
        study = open_study(directory, sampling, direction=self.config.sweep.direction,
                           pruner=self._pruner)
        overrides = OverridesParser.create().parse_overrides(arguments)
        space = {one.get_key_element(): distribution(one) for one in overrides
                 if one.is_sweep_override()}
        fixed = [str(one.input_line) for one in overrides if not one.is_sweep_override()]
        while numbers := self._next(study):
            trials = {number: [*fixed, *(f"{key}={value}" for key, value in
                                         sampling.complete(study, number, space).items())]
                      for number in numbers}
            for group in _consecutive(numbers):
                self._run(study, {number: trials[number] for number in group}, directory)

    def _next(self, study: Any) -> list[int]:
        """The trials to run at a time, asked for where a sweep that was killed had not yet."""
        begun = study.trials
        pending = [trial.number for trial in begun if not trial.state.is_finished()]
        missing = -len(begun) % self._n_jobs if pending else self._n_jobs
        left = max(0, self._n_trials - len(begun))
        return [*pending, *(study.ask().number for _ in range(min(left, missing)))]

    def _run(self, study: Any, trials: Mapping[int, list[str]], directory: Path) -> None:
        from optuna.trial import TrialState  # type: ignore[import-not-found, unused-ignore]

        assert self.launcher is not None, "Hydra calls setup first"
        returns = self.launcher.launch(list(trials.values()), initial_job_idx=min(trials))
        reason = stopping.asked(directory)
        for number, returned in zip(trials, returns, strict=True):
            value = returned.return_value
            if isinstance(value, float) and not math.isnan(value):
                pruned = _was_pruned(directory / str(number))
                study.tell(number, *((None, TrialState.PRUNED) if pruned else (value,)))
            elif reason is None:   # otherwise a resumed sweep goes on with the trial
                study.tell(number, state=TrialState.FAIL)
        if reason is not None:
            raise Stopped(reason)


def _consecutive(numbers: Sequence[int]) -> list[list[int]]:
    """Launchers number their jobs one after the other."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def distribution(override: Override) -> Any:
    """The values of a swept override: `interval`, with `tag(log, …)`, `range`, or a choice."""
    from optuna import distributions  # type: ignore[import-not-found, unused-ignore]

    value: Any = override.value()
    if override.is_interval_sweep():
        logarithmic = "log" in value.tags
        if isinstance(value.start, int) and isinstance(value.end, int):
            return distributions.IntDistribution(value.start, value.end, log=logarithmic)
        return distributions.FloatDistribution(value.start, value.end, log=logarithmic)
    if override.is_range_sweep() and isinstance(value.start, int):
        *_, last = value.range()
        return distributions.IntDistribution(value.start, int(last), step=int(value.step))
    return distributions.CategoricalDistribution(list(override.sweep_string_iterator()))


def _was_pruned(job_directory: Path) -> bool:
    record = job_directory / gate.RECORD_FILE
    return record.exists() and gate.load_record(job_directory).get("stopped") == "pruned"
