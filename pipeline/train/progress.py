"""How training looks while it runs: a bar on a terminal, one plain line an interval elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.train.history import Interval
from pipeline.train.plan import Plan

log = logging.getLogger(__name__)

Report: TypeAlias = Callable[[Interval], None]


@contextmanager
def show_progress(plan: Plan) -> Iterator[Report]:
    """Gives a function to call after each interval."""
    console = Console(stderr=True)
    if not console.is_terminal or console.no_color:
        yield lambda interval: log.info("step %d/%d  %s", interval.step, plan.steps, line(interval))
        return
    columns = (
        TextColumn("step"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=plan.steps, line="compiling")
        yield lambda interval: bar.update(task, completed=interval.step, line=line(interval))


def line(interval: Interval) -> str:
    """One interval in one line."""
    parts = [
        f"epoch {interval.epoch:.1f}",
        f"loss {interval.loss:.4f}",
        f"accuracy {interval.accuracy:.4f}",
        f"learning rate {interval.learning_rate:.3g}",
        f"{interval.examples_per_second:,.0f} examples/s",
    ]
    if interval.validation_accuracy is not None:
        parts.insert(3, f"validation {interval.validation_accuracy:.4f}")
    return "  ".join(parts)
