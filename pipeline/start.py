"""From a command line to a run: explain what Hydra refuses, check the rest, claim a directory."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config import Config, ConfigError, composition, load, recorded, runtime
from pipeline.config.consent import require_consent
from pipeline.gate import ExitCode, attempt, require_metric
from pipeline.sweep import execute, placement, resume, stopping
from pipeline.sweep.begun import begun
from pipeline.sweep.job import Job, Run, runs_of


def explain(error: HydraException, arguments: list[str]) -> ConfigError:
    """What was wrong with a command line that Hydra refused."""
    return composition.explain(error, arguments)


def start(composed: DictConfig) -> float:
    """Runs one job as Hydra composed it, and records how it ended instead of raising.

    Returns:
        What an optimizing sweeper looks at; NaN where there is none.

    Raises:
        Stopped: the whole sweep is to end.
    """
    hydra = HydraConfig.get()
    several = hydra.mode is RunMode.MULTIRUN
    directory, overrides = Path(hydra.runtime.output_dir), tuple(hydra.overrides.task)
    sweep = Path(hydra.sweep.dir) if several else directory
    job = Job(directory, hydra.job.num if several else None, resume.as_begun(sweep, overrides))
    if several and stopping.comes_too_late(job):
        return math.nan
    runs: list[Run] = []

    def begin() -> ExitCode | None:
        completed, config = _load(composed, job, overrides)
        if several and not begun.launched:
            stopping.leave_signals_to_the_sweep()
            placement.place_worker(sweep, config.sweep.gpu_memory)
        runtime.apply(config.runtime)
        if several and config.sweep.strategy == "vmap":
            _require_basic(hydra)
        looked = _look(config, directory)
        if looked is None:
            runs.extend(runs_of(job, config, {
                "config.yaml": OmegaConf.to_yaml(_as_begun(completed), resolve=True),
                "hydra.yaml": OmegaConf.to_yaml(hydra),
                "overrides.yaml": OmegaConf.to_yaml(list(job.overrides)),
            }))
        return looked

    ending = attempt(begin)
    if runs:
        return execute.perform(runs)
    return execute.end_without_runs(job, ending, OmegaConf.select(composed, "sweep.on_failure"))


def _require_basic(hydra: HydraConf) -> None:
    for part, plugin in (("launcher", hydra.launcher), ("sweeper", hydra.sweeper)):
        if not plugin["_target_"].startswith("hydra._internal.core_plugins.basic_"):
            raise ConfigError(
                f"sweep.strategy=vmap: trains all jobs in one process, when all are known; found "
                f"hydra.{part}={plugin['_target_']}; leave hydra/{part} as it is, or set "
                "sweep.strategy=process"
            )


def _look(config: Config, directory: Path) -> ExitCode | None:
    """Runs a task that trains nothing and evaluates nothing; None if it is none of them."""
    if config.task.name in ("inspect", "restore_plan", "convert"):
        from pipeline import inspection

        looks = {
            "inspect": inspection.inspect,
            "restore_plan": inspection.restore_plan,
            "convert": inspection.convert,
        }
        return looks[config.task.name](config)
    if config.task.name == "predict":
        from pipeline import prediction

        return prediction.predict(config)
    if config.task.name == "serve":
        from pipeline import serve

        return serve.serve(config)
    if config.task.name == "gate":
        from pipeline.sweep.again import judge_again

        return judge_again(config)
    if config.task.name == "compare":
        from pipeline.sweep.compare import compare

        return compare(config, directory)
    return None


def _load(
    composed: DictConfig, job: Job, overrides: Sequence[str]
) -> tuple[DictConfig, Config]:
    try:
        completed = recorded.complete(composed, overrides)
        _require_values(completed)
        container = OmegaConf.to_container(completed, resolve=True)
        config = load(cast(dict[str, Any], container))
        if completed is not composed:
            own = OmegaConf.to_container(composed, resolve=True)
            require_consent(config, cast(dict[str, Any], own), config.runtime.trusted_modules)
        if job.number is not None or config.seeds > 1:
            require_metric("sweep.metric", config.sweep.metric)
        return completed, config
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
