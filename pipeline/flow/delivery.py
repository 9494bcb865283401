"""How a run that uses a model begins, and how it hands over what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline import data, gate, model, persistence, verification
from pipeline.config import ConfigError
from pipeline.config.dataset import DatasetConfig
from pipeline.config.persistence import TargetConfig, VerificationConfig
from pipeline.config.runtime import cache_directory
from pipeline.config.schema import RunConfig
from pipeline.context import Context
from pipeline.data.record import save_description
from pipeline.flow.completion import complete
from pipeline.flow.result import RunResult


def begin(
    config: RunConfig, context: Context
) -> tuple[model.Network, data.DataSets, RunResult]:
    """The run's model and data, and the result to fill.

    Raises:
        PipelineError: a gate cannot be judged, the data cannot be had, or the model not be built.
    """
    gate.check(config.gate)
    result = RunResult(context)
    with result.stage("data"):
        data_sets = data.load(
            config.dataset, cache_directory(config.runtime) / "datasets", config.seed
        )
    with result.stage("model"):
        network = model.build(config.model, data_sets.description)
    keep_description(config.dataset, data_sets, context.directory)
    return network, data_sets, result


def keep_description(
    config: DatasetConfig, data_sets: data.DataSets, directory: Path
) -> None:
    """What the model was made for, where nothing else says it: beside the model."""
    if not data.is_published(config):
        save_description(data_sets.description, directory)


def source(restore: str | None, task: str) -> Path:
    """The saved model that a task needs.

    Raises:
        ConfigError: none was named.
    """
    if restore is None:
        raise ConfigError(
            f"restore: task={task} needs it; give a run directory, an orbax step, a "
            "checkpoint prefix or a frozen graph"
        )
    return Path(restore)


def deliver(
    config: RunConfig, targets: Mapping[str, TargetConfig], tolerance: VerificationConfig,
    trained: persistence.Trained, data_sets: data.DataSets, result: RunResult,
) -> None:
    """Persists, verifies, completes; an artefact that disagrees then fails the run."""
    with result.stage("persist"):
        result.artifacts = persistence.persist(targets, trained, result.directory)
    with result.stage("verify"):
        result.parities = verification.verify(
            trained, targets, result.artifacts, data_sets.test.pixels, tolerance,
        )
    complete(config, trained.network, data_sets, result)
    verification.require_parity(result.parities)
