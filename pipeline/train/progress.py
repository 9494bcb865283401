"""How training looks while it runs: a bar on a terminal, one plain line an interval elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from pipeline.terminal import open_console, takes_bars
from pipeline.train.history import Interval
from pipeline.train.plan import Plan

log = logging.getLogger(__name__)

Report: TypeAlias = Callable[[Interval], None]


@contextmanager
def show_progress(plan: Plan) -> Iterator[Report]:
    """Gives a function to call after each interval, whose line goes into the log in any case."""

    def tell(interval: Interval) -> None:
        log.info("step %d/%d  epoch %.1f  %s", interval.step, plan.steps, interval.epoch,
                 line(interval))

    console = open_console(stderr=True)
    if not takes_bars(console):
        yield tell
        return
    with Progress(*_columns(), console=console, expand=True) as bar, _beside_the_bar():
        task = bar.add_task("training", total=plan.steps, line="compiling")

        def show(interval: Interval) -> None:
            tell(interval)
            bar.update(task, completed=interval.step, line=line(interval))

        yield show


def _columns() -> list[ProgressColumn]:
    """Of what is too narrow a terminal for all, the line's end is cut off and nothing else."""
    rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    return [TextColumn("step"), MofNCompleteColumn(), BarColumn(bar_width=10),
            TimeRemainingColumn(), TextColumn("{task.fields[line]}", table_column=rest)]


@contextmanager
def _beside_the_bar() -> Iterator[None]:
    """On the terminal, intervals are told by the bar alone, and other messages appear above it."""
    consoles = [handler for handler in logging.getLogger().handlers
                if type(handler) is logging.StreamHandler]   # not those to files
    before = [handler.stream for handler in consoles]
    for handler in consoles:
        handler.addFilter(_is_no_interval)
        handler.setStream(sys.stderr)      # the bar's own, while it is shown
    try:
        yield
    finally:
        for handler, stream in zip(consoles, before, strict=True):
            handler.setStream(stream)
            handler.removeFilter(_is_no_interval)


def _is_no_interval(record: logging.LogRecord) -> bool:
    return record.name != log.name


def line(interval: Interval) -> str:
    """One interval's figures in one line, the most wanted first."""
    parts = [
        f"loss {interval.loss:.4f}",
        f"accuracy {interval.accuracy:.4f}",
        f"learning rate {interval.learning_rate:.3g}",
        f"{interval.examples_per_second:,.0f} examples/s",
    ]
    if interval.validation_accuracy is not None:
        parts.insert(2, f"validation {interval.validation_accuracy:.4f}")
    return "  ".join(parts)
