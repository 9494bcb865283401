"""task=inspect: a look into a file, or at a model's variables."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pipeline.config.dataset import DatasetConfig
from pipeline.config.inspection import InspectConfig, MetaGraphField
from pipeline.config.model import ModelConfig
from pipeline.config.runtime import cache_directory
from pipeline.config.schema import RuntimeConfig
from pipeline.context import Context
from pipeline.gate import ExitCode


@dataclass(kw_only=True)
class Options:
    """What to look at, and how closely."""

    path: str | None = None        # a file or directory; null: the variables of `model`
    destination: str | None = None  # a new .html that draws the graph at `path`
    field: MetaGraphField | None = None  # of a MetaGraph, to print as text
    inspect: InspectConfig = dataclasses.field(default_factory=InspectConfig)
    dataset: DatasetConfig
    model: ModelConfig
    runtime: RuntimeConfig


def run(options: Options, context: Context) -> ExitCode:
    """Prints what `path` holds or, without one, the variables of `model`.

    Returns:
        INTEGRITY where tensors are damaged, or where two checkpoints differ.

    Raises:
        PipelineError: as `look` does.
    """
    if options.path is None:
        from pipeline import data, model

        description = data.describe(options.dataset, cache_directory(options.runtime) / "datasets")
        model.print_variable_table(model.build(options.model, description))
        return ExitCode.PASSED
    from pipeline.inspection.look import look

    sound = look(options.path, options.destination, options.field, options.inspect)
    return ExitCode.PASSED if sound else ExitCode.INTEGRITY
