"""Which line of the user's own something came from."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jax._src import source_info_util

_HERE = str(Path(__file__).parent)
_LIBRARIES = tuple({sysconfig.get_path(kind) for kind in ("purelib", "platlib", "stdlib")})


class Line(NamedTuple):
    """A place in a file."""

    file: str
    number: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number} ({self.function})"


def of_equation(eqn: Any) -> str:
    """The innermost line of the user's own that an equation was traced from.

    Where a library made the equation, its line stands behind. Empty if JAX knows no line.
    """
    frames = source_info_util.user_frames(eqn.source_info.traceback)
    return _chosen(Line(frame.file_name, frame.start_line, frame.function_name)
                   for frame in frames)


def of_error(error: BaseException) -> str:
    """The same of where an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return _chosen(Line(frame.filename, frame.lineno or 0, frame.name)
                   for frame in reversed(frames))


def _chosen(lines: Iterable[Line]) -> str:
    outside = list(_outside(lines))
    own = next((line for line in outside if not line.file.startswith(_LIBRARIES)), None)
    first = outside[0] if outside else None
    if own is None or own == first:
        return str(first or "")
    return f"{own}, through {first}"


def _outside(lines: Iterable[Line]) -> Iterator[Line]:
    """Without the lines of this package and of JAX."""
    jax = str(Path(sys.modules["jax"].__file__ or "").parent)
    for line in lines:
        if not line.file.startswith((_HERE, jax, "<")):
            yield line
