"""From what Hydra composed to a run: check, set up the machine, claim the directory, go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config import ConfigError, load, runtime
from pipeline.config.run_directory import claim

if TYPE_CHECKING:
    from pipeline.gate import ExitCode


def start(composed: DictConfig) -> ExitCode:
    """Runs what `task` names.

    Raises:
        PipelineError: of the stage that failed.
    """
    config = load(_resolved(composed))
    runtime.apply(config.runtime)
    from pipeline import stages  # not before: this imports JAX, which reads the flags just set

    if config.task.name == "inspect":
        return stages.inspect(config)
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    records = {
        "config.yaml": OmegaConf.to_yaml(composed, resolve=True),
        "hydra.yaml": OmegaConf.to_yaml(hydra),
        "overrides.yaml": OmegaConf.to_yaml(hydra.overrides.task),
    }
    claim(directory, records, hydra.overrides.task, resume=config.restore == "auto")
    return stages.run(config, directory).exit_code


def _resolved(composed: DictConfig) -> dict[str, Any]:
    try:
        container = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(str(error)) from None
    return cast(dict[str, Any], container)
