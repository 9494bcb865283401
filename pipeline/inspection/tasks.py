"""The tasks about files: look into one, plan a restore, convert one. No run directory is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.config import Config, ConfigError
from pipeline.config.several_runs import several_runs
from pipeline.gate import ExitCode


def inspect(config: Config) -> ExitCode:
    """Prints what `path` holds or, without one, the variables of `model`.

    Returns:
        INTEGRITY where tensors are damaged, or where two checkpoints differ.

    Raises:
        PipelineError: as `look` does.
    """
    if config.path is None:
        from pipeline import data, model

        model.print_variable_table(model.build(config.model, num_classes=data.NUM_CLASSES))
        return ExitCode.PASSED
    from pipeline.inspection.look import look

    sound = look(config.path, config.destination, config.field, config.inspect)
    return ExitCode.PASSED if sound else ExitCode.INTEGRITY


def restore_plan(config: Config) -> ExitCode:
    """Prints, for every variable of `model`, what restoring it from `path` would do.

    Returns:
        INTEGRITY unless every variable can be restored.

    Raises:
        ConfigError: `path` is no checkpoint.
        CheckpointError: it is damaged, or there is none.
    """
    if config.path is None:
        raise ConfigError("path: task=restore_plan needs it; give a checkpoint prefix or directory")
    from pipeline import checkpoint, data, model
    from pipeline.checkpoint.recognise import Kind, recognise

    network = model.build(config.model, num_classes=data.NUM_CLASSES)
    variables = {
        name: np.broadcast_to(np.zeros((), spec.dtype), spec.shape)
        for name, spec in network.specs.items()
    }
    found = recognise(config.path)
    if found.kind not in (Kind.CHECKPOINT, Kind.SAVED_MODEL):
        what = several_runs(Path(config.path)) or found.what
        raise ConfigError(f"path={config.path}: is {what}; task=restore_plan looks into "
                          "TensorFlow checkpoints and SavedModels; task=convert makes one of an "
                          "orbax step")
    plan = checkpoint.plan_restore(found.path, variables)
    print(plan)
    complete = not plan.missing and not plan.clashes
    return ExitCode.PASSED if complete else ExitCode.INTEGRITY


def convert(config: Config) -> ExitCode:
    """Turns the orbax step at `path` into a TensorFlow checkpoint, or the other way round.

    Raises:
        PersistenceError: `path` is neither, or `destination` exists.
    """
    if config.path is None or config.destination is None:
        raise ConfigError("path, destination: task=convert needs both; say what becomes what")
    from pipeline.persistence.convert import convert as convert_file

    print(convert_file(Path(config.path), Path(config.destination)))
    return ExitCode.PASSED
