"""task=restore_plan: what restoring a model from a checkpoint would find, and what not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.config import ConfigError
from pipeline.config.dataset import DatasetConfig
from pipeline.config.model import ModelConfig
from pipeline.config.recorded import find_run
from pipeline.config.runtime import cache_directory
from pipeline.config.schema import RuntimeConfig
from pipeline.config.several_runs import several_runs
from pipeline.context import Context
from pipeline.gate import ExitCode


@dataclass(kw_only=True)
class Options:
    """A model and a checkpoint."""

    path: str | None = None        # the checkpoint
    dataset: DatasetConfig
    model: ModelConfig
    runtime: RuntimeConfig


def run(options: Options, context: Context) -> ExitCode:
    """Prints, for every variable of `model`, what restoring it from `path` would do.

    Returns:
        INTEGRITY unless every variable can be restored.

    Raises:
        ConfigError: `path` is no checkpoint.
        CheckpointError: it is damaged, or there is none.
    """
    if options.path is None:
        raise ConfigError("path: task=restore_plan needs it; give a checkpoint prefix or directory")
    import numpy as np

    from pipeline import checkpoint, data, model
    from pipeline.checkpoint.recognise import Kind, recognise

    description = data.describe(options.dataset, cache_directory(options.runtime) / "datasets",
                                find_run(Path(options.path)))
    network = model.build(options.model, description)
    variables = {
        name: np.broadcast_to(np.zeros((), spec.dtype), spec.shape)
        for name, spec in network.specs.items()
    }
    found = recognise(options.path)
    if found.kind not in (Kind.CHECKPOINT, Kind.SAVED_MODEL):
        what = several_runs(Path(options.path)) or found.what
        raise ConfigError(f"path={options.path}: is {what}; task=restore_plan looks into "
                          "TensorFlow checkpoints and SavedModels; task=convert makes one of an "
                          "orbax step")
    plan = checkpoint.plan_restore(found.path, variables)
    print(plan)
    complete = not plan.missing and not plan.clashes
    return ExitCode.PASSED if complete else ExitCode.INTEGRITY
