"""A progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(description: str, total: int | None, *,
             in_bytes: bool) -> Iterator[Callable[[int], None]]:
    """Gives a function that moves the bar on by so many bytes or examples.

    `total=None` is an unknown length. The bar is drawn on stderr and removed at the end.
    """
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

    from pipeline.terminal import open_console, takes_bars

    console = open_console(stderr=True)
    count = DownloadColumn() if in_bytes else MofNCompleteColumn()
    bar = Progress(TextColumn("{task.description}"), BarColumn(), count, console=console,
                   disable=not takes_bars(console), transient=True)
    with bar:
        task = bar.add_task(description, total=total)
        yield lambda amount: bar.advance(task, amount)
