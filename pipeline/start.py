"""From a command line to a run: explain what Hydra refuses, check the rest, claim a directory."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline import tasks
from pipeline.clock import Clock
from pipeline.config import ConfigError, composition, load, recorded, runtime
from pipeline.config.consent import require_consent
from pipeline.context import Context
from pipeline.gate import ExitCode, attempt, require_metric
from pipeline.signals import leave_termination_to_the_sweep
from pipeline.sweep import execute, placement, resume, stopping
from pipeline.sweep.job import runs_of
from pipeline.sweep.process import Job, Process, Run, RunTask


def explain(error: HydraException, arguments: list[str]) -> ConfigError:
    """What was wrong with a command line that Hydra refused."""
    words = [word for word in arguments if "=" in word and not word.startswith("-")]
    chosen = [word.partition("=")[2] for word in words if word.startswith("task=")]
    name = chosen[-1] if chosen else "train"
    if name in tasks.NAMES:
        try:
            tasks.refuse_others(name, words)   # of a key that only another task has
        except ConfigError as refused:
            return refused
    return composition.explain(error, arguments)


def start(composed: DictConfig, process: Process) -> float:
    """Runs one job as Hydra composed it, and records how it ended instead of raising.

    Args:
        composed: the whole configuration.
        process: in which the job runs.

    Returns:
        What an optimizing sweeper looks at; NaN where there is none.

    Raises:
        Stopped: the whole sweep is to end.
    """
    process.clock = process.clock or Clock.now()
    hydra = HydraConfig.get()
    several = hydra.mode is RunMode.MULTIRUN
    directory, overrides = Path(hydra.runtime.output_dir), tuple(hydra.overrides.task)
    sweep = Path(hydra.sweep.dir) if several else directory
    job = Job(directory, hydra.job.num if several else None, resume.as_begun(sweep, overrides),
              process)
    if several and stopping.comes_too_late(job):
        return math.nan
    runs: list[Run] = []

    def begin() -> ExitCode | None:
        name: str = composed.task.name
        completed, options = _load(composed, name, job, overrides)
        task = tasks.find(name)
        if not tasks.makes_runs(name):
            runtime.apply(options.runtime)
            return cast(ExitCode, task.run(options, Context(directory, name, process.command)))
        if several and not process.launched:
            leave_termination_to_the_sweep()
            placement.place_worker(sweep, options.sweep.gpu_memory)
        runtime.apply(options.runtime)
        if several and options.sweep.strategy == "vmap":
            _require_joint(hydra, name, task)
        if process.gates is None:   # of a launcher's workers the callback knows them
            process.gates, process.ranking = options.gate, options.sweep
        runs.extend(runs_of(job, options, {
            "config.yaml": OmegaConf.to_yaml(_as_begun(completed), resolve=True),
            "hydra.yaml": OmegaConf.to_yaml(hydra),
            "overrides.yaml": OmegaConf.to_yaml(list(job.overrides)),
        }, name, cast(RunTask, task)))
        return None

    ending = attempt(begin)
    if runs:
        return execute.perform(runs)
    return execute.end_without_runs(job, ending, OmegaConf.select(composed, "sweep.on_failure"))


def _require_joint(hydra: HydraConf, name: str, task: ModuleType) -> None:
    if not hasattr(task, "run_together"):
        raise ConfigError(f"sweep.strategy=vmap: trains jobs together, and task={name} trains "
                          "none; set sweep.strategy=process")
    for part, plugin in (("launcher", hydra.launcher), ("sweeper", hydra.sweeper)):
        if not plugin["_target_"].startswith("hydra._internal.core_plugins.basic_"):
            raise ConfigError(
                f"sweep.strategy=vmap: trains all jobs in one process, when all are known; found "
                f"hydra.{part}={plugin['_target_']}; leave hydra/{part} as it is, or set "
                "sweep.strategy=process"
            )


def _load(
    composed: DictConfig, name: str, job: Job, overrides: Sequence[str]
) -> tuple[DictConfig, Any]:
    try:
        tasks.refuse_others(name, overrides)
        completed = recorded.complete(composed, overrides)
        _require_values(completed)
        container = OmegaConf.to_container(completed, resolve=True)
        given = tasks.part_of(name, cast(dict[str, Any], container))
        options = load(given, tasks.find(name).Options)
        if completed is not composed:
            own = OmegaConf.to_container(composed, resolve=True)
            require_consent(options, cast(dict[str, Any], own), options.runtime.trusted_modules)
        if tasks.makes_runs(name) and (job.number is not None or options.seeds > 1):
            require_metric("sweep.metric", options.sweep.metric)
        return completed, options
    except (OmegaConfBaseException, ConfigError) as error:
        alone, place = job.number is None, job.directory
        if alone and place.resolve() != Path.cwd() and not any(place.iterdir()):
            place.rmdir()  # Hydra made it for a run that will not be
        raise ConfigError(str(error)) from None


def _as_begun(completed: DictConfig) -> DictConfig:
    """For the record: whether the sweep had to be gone on with is not part of a job."""
    made = copy.deepcopy(completed)
    made.sweep.resume = None
    return made


def _require_values(composed: DictConfig) -> None:
    missing = sorted(OmegaConf.missing_keys(composed))
    if missing:
        raise ConfigError("\n".join(
            f"{key}: is required and was not given; say {key}=…" for key in missing))
