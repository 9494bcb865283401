"""task=evaluate: a saved model on the test split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config.schema import RunConfig
from pipeline.context import Context

if TYPE_CHECKING:
    from pipeline.flow import RunResult


@dataclass(kw_only=True)
class Options(RunConfig):
    """What to evaluate, and how it is judged."""

    restore: str | None = None     # a run, an orbax step, a checkpoint or a graph


def run(options: Options, context: Context) -> RunResult:
    """Evaluates what lies at `restore`, and leaves its record and report.

    Raises:
        PipelineError: of the stage that failed.
    """
    from pipeline import evaluate, flow, persistence

    source = flow.source(options.restore, context.task)
    network, data_sets, result = flow.begin(options, context)
    with result.stage("evaluate"):
        logits = persistence.load_logits(source, network, data_sets.test.pixels, options.model)
        result.evaluation = evaluate.score_logits(logits, data_sets.test.digits)
    flow.complete(options, network, data_sets, result)
    return result
