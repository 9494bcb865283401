"""The runs of a job, one for each seed, each in a directory of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import yaml

from pipeline.config import Config
from pipeline.config.gate import GateConfig
from pipeline.config.run_directory import claim, hold
from pipeline.config.schema import RunConfig
from pipeline.sweep.process import Job, Run, RunTask
from pipeline.sweep.resume import require_same


def runs_of(
    job: Job, config: RunConfig, records: Mapping[str, str], name: str, task: RunTask
) -> list[Run]:
    """The runs of a job, each in a directory of its own, ready to begin or to go on.

    What is judged over several runs is taken out of each one's gates.

    Args:
        job: where and from what.
        config: of the job.
        records: for `.hydra/`: file name → text.
        name: of the task.
        task: makes the runs.

    Raises:
        ConfigError: another run has the directory, another process is at work in it, or it was
            begun with another configuration.
    """
    going_on = isinstance(config, Config) and config.restore == "auto"
    resume = going_on or config.sweep.resume is not None
    if config.sweep.resume is not None:
        require_same(job.directory, records, job.overrides)
    claim(job.directory, records, job.overrides, resume=resume)
    if job.number is None:   # in a sweep its own directory is held, by the process that was started
        hold(job.directory)
    if config.sweep.resume is not None and isinstance(config, Config):
        config = replace(config, restore="auto")
    whole = Run(job, config, job.directory, name, task)
    if job.number is None and config.seeds == 1:
        return [whole]
    whole = replace(whole, config=replace(config, gate=gates_of_each(config.gate)))
    if config.seeds == 1:
        return [whole]
    seeds = range(config.seed, config.seed + config.seeds)
    return [_seeded(whole, records, seed, resume) for seed in seeds]


def gates_of_each(gates: GateConfig) -> GateConfig:
    """Of the gates of several runs those that each must pass by itself."""
    variables = None if gates.accept else gates.variables
    return replace(gates, baseline=None, trend=None, accept=False, variables=variables)


def _seeded(whole: Run, records: Mapping[str, str], seed: int, resume: bool) -> Run:
    job = whole.job
    directory = job.directory / f"seed-{seed}"
    composed = yaml.safe_load(records["config.yaml"]) | {"seed": seed, "seeds": 1}
    records = {**records, "config.yaml": yaml.safe_dump(composed, sort_keys=False)}
    kept = [one for one in job.overrides if not one.startswith(("seed=", "seeds="))]
    claim(directory, records, [*kept, f"seed={seed}"], resume=resume)
    config = replace(whole.config, seed=seed, seeds=1)
    return replace(whole, config=config, directory=directory)
