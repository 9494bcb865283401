"""What a terminal may be given: styles, bars and warnings only where they are wanted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


def open_console(*, stderr: bool = False) -> Console:
    """Standard output or error; without styles where NO_COLOR is set (https://no-color.org)."""
    console = Console(stderr=stderr)
    return Console(stderr=stderr, color_system=None) if console.no_color else console


def takes_bars(console: Console) -> bool:
    """Whether it is a terminal that can redraw a line, and nobody asked for plain ones."""
    return console.is_terminal and not console.is_dumb_terminal and not console.no_color


@contextmanager
def errors_only(logger_name: str) -> Iterator[None]:
    """A library's logger without its warnings while the block runs."""
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
