"""What is read below a run stays below it: neither a link nor a path in a record leads out."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.config.errors import ConfigError


class LeadsOut(ConfigError):
    """A run's link, or a path in its record, that leads out of the run's directory."""


def below(directory: Path, name: str | os.PathLike[str]) -> Path:
    """`directory/name`, which need not exist.

    Raises:
        LeadsOut: `name` is absolute or has too many `..`, or a link on the way leads elsewhere.
    """
    path = directory / name
    if not _really(path).is_relative_to(_really(directory)):
        raise LeadsOut(f"{path}: leads out of {directory}, to {_really(path)}; nothing else than "
                       "what lies in a run's directory is read for it: put a copy there")
    return path


def require_enclosed(directory: Path) -> None:
    """Refuses a run or a sweep any of whose links, at any depth, leads out of it.

    Raises:
        LeadsOut: names the first.
    """
    for place, directories, files in os.walk(directory):
        for name in (*directories, *files):
            path = Path(place, name)
            if path.is_symlink():
                below(directory, path.relative_to(directory))


def _really(path: Path) -> Path:
    return Path(os.path.realpath(path))     # unlike `resolve`, also where links are a circle
