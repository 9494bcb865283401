"""A job, Hydra's word for one set of overrides, and its runs: one for each seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from pipeline.config import Config
from pipeline.config.gate import GateConfig
from pipeline.config.run_directory import claim, hold
from pipeline.sweep.resume import require_same


@dataclass(frozen=True)
class Job:
    """What Hydra made of a command line."""

    directory: Path
    number: int | None             # in its sweep; None outside one
    overrides: tuple[str, ...]     # the task's, without Hydra's own


@dataclass(frozen=True)
class Run:
    """One training: a job's, or one seed's of a job."""

    job: Job
    config: Config
    directory: Path

    @property
    def is_alone(self) -> bool:
        """Whether it is not one of several."""
        return self.job.number is None and self.directory == self.job.directory


def runs_of(job: Job, config: Config, records: Mapping[str, str]) -> list[Run]:
    """The runs of a job, each in a directory of its own, ready to begin or to go on.

    What is judged over several runs is taken out of each one's gates.

    Args:
        job: where and from what.
        config: of the job.
        records: for `.hydra/`: file name → text.

    Raises:
        ConfigError: another run has the directory, another process is at work in it, or it was
            begun with another configuration.
    """
    resume = config.restore == "auto" or config.sweep.resume is not None
    if config.sweep.resume is not None:
        require_same(job.directory, records, job.overrides)
    claim(job.directory, records, job.overrides, resume=resume)
    if job.number is None:   # in a sweep its own directory is held, by the process that was started
        hold(job.directory)
    if config.sweep.resume is not None:
        config = replace(config, restore="auto")
    if job.number is None and config.seeds == 1:
        return [Run(job, config, job.directory)]
    config = replace(config, gate=gates_of_each(config.gate))
    if config.seeds == 1:
        return [Run(job, config, job.directory)]
    seeds = range(config.seed, config.seed + config.seeds)
    return [_seeded(job, config, records, seed, resume) for seed in seeds]


def gates_of_each(gates: GateConfig) -> GateConfig:
    """Of the gates of several runs those that each must pass by itself."""
    variables = None if gates.accept else gates.variables
    return replace(gates, baseline=None, trend=None, accept=False, variables=variables)


def _seeded(
    job: Job, config: Config, records: Mapping[str, str], seed: int, resume: bool
) -> Run:
    directory = job.directory / f"seed-{seed}"
    composed = yaml.safe_load(records["config.yaml"]) | {"seed": seed, "seeds": 1}
    records = {**records, "config.yaml": yaml.safe_dump(composed, sort_keys=False)}
    kept = [one for one in job.overrides if not one.startswith(("seed=", "seeds="))]
    claim(directory, records, [*kept, f"seed={seed}"], resume=resume)
    return Run(job, replace(config, seed=seed, seeds=1), directory)
