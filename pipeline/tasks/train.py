"""task=train: train, evaluate, persist, verify, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipeline.config.schema import Config as Options
from pipeline.context import Context

if TYPE_CHECKING:
    from pipeline.flow import RunResult

__all__ = ["Options", "run", "run_together"]


def run(options: Options, context: Context) -> RunResult:
    """Trains, and leaves everything in the run's directory.

    Raises:
        PipelineError: of the stage that failed; what was written before stays.
    """
    from pipeline import flow

    return flow.train_run(options, context)


def run_together(runs: Sequence[tuple[Options, Context]]) -> list[Callable[[], RunResult]]:
    """Trains runs that differ only in numbers as one program; what does the rest of each.

    Raises:
        PipelineError: of the stage that failed.
    """
    from pipeline import flow

    return flow.train_together(runs)
