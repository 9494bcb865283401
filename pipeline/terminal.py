"""What a terminal may be given: styles and bars only where they are wanted."""

from __future__ import annotations

from rich.console import Console


def open_console(*, stderr: bool = False) -> Console:
    """Standard output or error; without styles where NO_COLOR is set (https://no-color.org)."""
    console = Console(stderr=stderr)
    return Console(stderr=stderr, color_system=None) if console.no_color else console


def takes_bars(console: Console) -> bool:
    """Whether it is a terminal that can redraw a line, and nobody asked for plain ones."""
    return console.is_terminal and not console.is_dumb_terminal and not console.no_color
