"""From a command line to a run: explain what Hydra refuses, check the rest, claim a directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config import Config, ConfigError, composition, load, recorded, runtime
from pipeline.config.run_directory import claim

if TYPE_CHECKING:
    from pipeline.gate import ExitCode

CONF = Path(__file__).resolve().parents[1] / "conf"


def explain(error: HydraException, arguments: list[str]) -> ConfigError:
    """What was wrong with a command line that Hydra refused."""
    return composition.explain(error, CONF, arguments)


def start(composed: DictConfig) -> ExitCode:
    """Runs what `task` names.

    Raises:
        PipelineError: of the stage that failed.
    """
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    composed, config = _load(composed, hydra.overrides.task, directory)
    runtime.apply(config.runtime)
    looked = _look(config)
    if looked is not None:
        return looked
    from pipeline import stages  # not before: this imports JAX, which reads the flags just set

    records = {
        "config.yaml": OmegaConf.to_yaml(composed, resolve=True),
        "hydra.yaml": OmegaConf.to_yaml(hydra),
        "overrides.yaml": OmegaConf.to_yaml(hydra.overrides.task),
    }
    claim(directory, records, hydra.overrides.task, resume=config.restore == "auto")
    return stages.run(config, directory).exit_code


def _look(config: Config) -> ExitCode | None:
    """Runs a task that only looks and leaves nothing behind; None if it is none of them."""
    if config.task.name in ("inspect", "restore_plan"):
        from pipeline import inspection

        looks = {"inspect": inspection.inspect, "restore_plan": inspection.restore_plan}
        return looks[config.task.name](config)
    if config.task.name == "predict":
        from pipeline import prediction

        return prediction.predict(config)
    return None


def _load(
    composed: DictConfig, overrides: list[str], directory: Path
) -> tuple[DictConfig, Config]:
    try:
        completed = recorded.complete(composed, overrides)
        container = OmegaConf.to_container(completed, resolve=True, throw_on_missing=True)
        return completed, load(cast(dict[str, Any], container))
    except (OmegaConfBaseException, ConfigError) as error:
        if directory.resolve() != Path.cwd() and not any(directory.iterdir()):
            directory.rmdir()  # Hydra made it for a run that will not be
        raise ConfigError(str(error)) from None
