"""task=predict: what a picture shows, by any saved model. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.config import ConfigError
from pipeline.config.dataset import DatasetConfig
from pipeline.config.model import ModelConfig
from pipeline.config.recorded import find_run
from pipeline.config.runtime import cache_directory
from pipeline.config.schema import RuntimeConfig
from pipeline.context import Context
from pipeline.gate import ExitCode, worst


@dataclass(kw_only=True)
class PredictConfig:
    """How what was found is said."""

    format: Literal["json", "table"] = "json"


@dataclass(kw_only=True)
class Options:
    """Pictures, and the model to ask."""

    restore: str | None = None     # a run, an orbax step, a checkpoint or a graph
    input: str | list[str] | None = None  # pictures, or directories of them
    predict: PredictConfig = field(default_factory=PredictConfig)
    dataset: DatasetConfig
    model: ModelConfig
    runtime: RuntimeConfig


def run(options: Options, context: Context) -> ExitCode:
    """Prints, for each picture of `input`, its label and the probabilities of all classes.

    A picture that can't be read doesn't keep the others from being predicted.

    Returns:
        FAILED if any picture is not there, else INTEGRITY if any could not be read.

    Raises:
        ConfigError: `restore` or `input` is missing, or a directory has no pictures in it.
        PersistenceError: there is no model at `restore`, or it does not fit.
    """
    from pipeline import data, model, prediction

    if options.restore in (None, "auto"):
        raise ConfigError("restore: task=predict needs it; give a run directory, an orbax step, a "
                          "checkpoint prefix or a frozen graph")
    inputs = prediction.find_pictures(options.input)
    restore = Path(options.restore or "")
    description = data.describe(
        options.dataset, cache_directory(options.runtime) / "datasets", find_run(restore))
    network = model.build(options.model, description)
    predictions = prediction.predict_files(restore, network, description, inputs, options.model,
        getattr(options.dataset, "resize", "refuse"))
    prediction.print_predictions(predictions, options.predict.format)
    return worst(one.exit_code for one in predictions)
