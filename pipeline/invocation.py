"""How the program was started, so that the commands it prints can be typed as they stand."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

# In the environment, because jobs that a launcher starts in other processes print commands too.
_PROGRAM = "JAXFROST_PROGRAM"
_OPTIONS = "JAXFROST_OPTIONS"


def note(argv0: str, options: Sequence[str] = ()) -> None:
    """Keeps how this process was started.

    Args:
        argv0: `sys.argv[0]`: a script, the `__main__.py` of a package, or an installed command.
        options: without which the overrides of a run do not mean the same: `--config-dir DIR`.
    """
    os.environ[_PROGRAM] = shlex.join(_words(argv0))
    os.environ[_OPTIONS] = shlex.join(options)


def program() -> str:
    """`python run.py`, `python -m pipeline`, `jaxfrost`: what comes before the overrides."""
    return os.environ.get(_PROGRAM, "jaxfrost")


def command(words: Sequence[str]) -> str:
    """A command line of these words, quoted for a shell."""
    return " ".join([program(), *([shlex.join(words)] if words else [])])


def repeating(overrides: Sequence[str]) -> str:
    """The command line that repeats a run of these overrides, which Hydra lists without options."""
    return command([*shlex.split(os.environ.get(_OPTIONS, "")), *overrides])


def _words(argv0: str) -> list[str]:
    path = Path(argv0)
    if path.name == "__main__.py":
        return ["python", "-m", path.parent.name]
    if path.suffix == ".py":
        return ["python", argv0]
    return [path.name if shutil.which(path.name) == argv0 else argv0]
