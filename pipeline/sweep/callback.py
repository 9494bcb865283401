"""What Hydra tells us when a sweep begins: conf/config.yaml names this class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from pipeline.config import load
from pipeline.config.run_directory import claim, hold, unusable
from pipeline.errors import PipelineError
from pipeline.gate import ExitCode, require_metric
from pipeline.sweep import resume, stopping
from pipeline.sweep.collect import Judging
from pipeline.sweep.process import Process, Stopped

# Hydra makes the callback from its configuration; there is no other way to tell it of the process.
_process: ContextVar[Process] = ContextVar("process")


@contextmanager
def told_of(process: Process) -> Iterator[None]:
    """Lets the callback know for which process Hydra works while the block runs."""
    token = _process.set(process)
    try:
        yield
    finally:
        _process.reset(token)


class SweepBegins(Callback):
    """Claims the sweep's directory, or refuses to go on with one that is another sweep's."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Called once, in the process that was started, before any job."""
        job = {key: config[key] for key in config if key != "hydra"}
        records = {
            "config.yaml": OmegaConf.to_yaml(OmegaConf.create(job)),
            "hydra.yaml": OmegaConf.to_yaml(config.hydra),
            "overrides.yaml": OmegaConf.to_yaml(config.hydra.overrides.task),
        }
        directory = Path(config.hydra.sweep.dir)
        overrides = list(config.hydra.overrides.task)
        try:
            require_metric("sweep.metric", config.sweep.metric)
            wants_resume = config.sweep.resume is not None
            if wants_resume:
                resume.require_same(directory, records, overrides)
            claim(directory, records, ["-m", *_repeatable(config), *overrides], resume=wants_resume)
            hold(directory)
        except PipelineError as error:
            raise Stopped(ExitCode.FAILED, error) from None
        except OSError as error:
            raise Stopped(ExitCode.FAILED, unusable(error)) from None
        stopping.forget(directory)
        launcher: str = config.hydra.launcher["_target_"]
        process = _process.get()
        process.has_workers = not launcher.startswith("hydra._internal.core_plugins.basic_")
        process.sweep = directory
        if process.has_workers and not any(map(_gives_several_gates, overrides)):
            judging = load({key: OmegaConf.to_container(config[key], resolve=True)
                            for key in ("sweep", "gate")}, Judging)
            process.gates, process.ranking = judging.gate, judging.sweep


def _gives_several_gates(override: str) -> bool:
    """Then the sweep's are its first job's, whose record tells them."""
    key = override.lstrip("+~").partition("=")[0].partition("@")[0]
    return key.partition(".")[0] in ("experiment", "gate") and resume.is_swept(override)


def _repeatable(config: DictConfig) -> list[str]:
    """Hydra's own overrides, without the place that the sweep has taken."""
    return [one for one in config.hydra.overrides.hydra
            if not one.startswith(("hydra.mode=", "hydra.sweep.dir="))]
