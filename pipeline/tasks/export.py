"""task=export: a saved model in other forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config.persistence import TargetConfig, VerificationConfig
from pipeline.config.schema import RunConfig
from pipeline.context import Context

if TYPE_CHECKING:
    from pipeline.flow import RunResult


@dataclass(kw_only=True)
class Options(RunConfig):
    """What to export, and as what."""

    restore: str | None = None     # a run, an orbax step, a checkpoint or a graph
    persistence: dict[str, TargetConfig]
    verification: VerificationConfig


def run(options: Options, context: Context) -> RunResult:
    """Writes what lies at `restore` as the targets say, and verifies each.

    Raises:
        PipelineError: of the stage that failed; what was written before stays.
    """
    from pipeline import flow, persistence

    source = flow.source(options.restore, context.task)
    persistence.check_packages(options.persistence.values())
    network, data_sets, result = flow.begin(options, context)
    with result.stage("restore"):
        found = persistence.find(source)
        variables = persistence.load_variables(found.path, network)
    targets = persistence.written_from_variables(options.persistence)
    trained = persistence.Trained(network, variables, found.step)
    flow.deliver(options, targets, options.verification, trained, data_sets, result)
    return result
