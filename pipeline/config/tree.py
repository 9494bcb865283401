"""Where configuration files lie: the tree that jaxfrost brings, and the user's own beside it.

In a checkout the tree is `conf/` next to the package; a wheel carries it inside the package. The
user's own files, such as `conf/experiment/mine.yaml`, are looked for in `conf/` of the working
directory and in what `--config-dir` names; they add choices, and replace none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.config.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]
CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"


def own(arguments: Sequence[str] = ()) -> list[Path]:
    """The user's own directories of configuration files, absolute.

    Args:
        arguments: the command line, for its `--config-dir`.
    """
    option = config_directory(arguments)
    found = [*map(Path, option[1:]), Path("conf")]
    return [each.resolve() for each in found
            if each.is_dir() and each.resolve() != CONF.resolve()]


def config_directory(arguments: Sequence[str]) -> list[str]:
    """`["--config-dir", DIR]` as absolute path if a command line has it, else nothing."""
    found: list[str] = []
    for position, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        following = [value] if equals else arguments[position + 1:position + 2]
        if name in ("--config-dir", "-cd") and following:
            found = ["--config-dir", str(Path(following[0]).resolve())]
    return found


def groups() -> dict[str, list[str]]:
    """What may be chosen: group → the names of its files, both sorted; Hydra's own are left out."""
    found: dict[str, set[str]] = {}
    for directory in (CONF, *own()):
        for group in directory.iterdir():
            names = {file.stem for file in group.glob("*.yaml")} if group.is_dir() else set()
            if names and group.name != "hydra":
                found.setdefault(group.name, set()).update(names)
    return {group: sorted(found[group]) for group in sorted(found)}


def require_own_names(arguments: Sequence[str]) -> None:
    """Refuses a choice that the user's files and ours both have: it would silently be ours.

    Raises:
        ConfigError: names the user's file.
    """
    for word in arguments:
        group, _, choice = word.lstrip("+").partition("=")
        file = f"{group}/{choice}.yaml"
        for directory in own(arguments) if (CONF / file).is_file() else []:
            theirs = directory / file
            if theirs.is_file() and theirs.read_bytes() != (CONF / file).read_bytes():
                raise ConfigError(
                    f"{group}={choice}: {os.path.relpath(theirs)} has the name of a "
                    f"choice that jaxfrost brings; rename the file, and choose it by its new name")
