"""A run's own directory: claimed once, never overwritten, and able to say how it came about."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import invocation
from pipeline.config.errors import ConfigError

_held: dict[Path, int] = {}   # descriptors of what this process holds, open until it ends


def claim(
    directory: Path, records: Mapping[str, str], overrides: Sequence[str], *, resume: bool
) -> None:
    """Makes `directory` this run's, and writes `.hydra/` into it.

    Moving `.hydra/` into place is the claim: of two runs given the same directory one fails here,
    before either has written anything else, and a process that is killed has claimed it or not.

    Args:
        directory: created when absent.
        records: file name → text, such as the resolved configuration.
        overrides: the command line, kept as the command that repeats the run.
        resume: the directory may already be a run's; its record stays as it is.

    Raises:
        ConfigError: another run has the directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / ".hydra").exists() and resume:
        return
    made = directory / f".hydra.{os.getpid()}-{secrets.token_hex(4)}"
    made.mkdir()
    command = invocation.repeating(overrides) + "\n"
    try:
        for name, text in {**records, "command.txt": command}.items():
            (made / name).write_text(text, encoding="utf-8")
        made.rename(directory / ".hydra")   # fails where that is a directory with files in it
    except OSError as error:
        shutil.rmtree(made)
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        raise ConfigError(
            f"{directory}: already holds a run or a sweep, which is never overwritten; choose "
            "another directory, or go on: a run by restore=auto, a sweep by "
            f"sweep.resume={directory}"
        ) from None


def unusable(error: OSError) -> ConfigError:
    """What the system says of the directory in which a run or a sweep was to begin."""
    return ConfigError(f"{error.filename}: {error.strerror}; choose another directory by "
                       "hydra.run.dir=DIR, or with -m by hydra.sweep.dir=DIR")


def hold(directory: Path) -> None:
    """Keeps other processes out of a claimed run or sweep until this process ends.

    The lock is the kernel's, on the `.hydra/` directory: a killed process leaves none behind.

    Raises:
        ConfigError: another process is at work in it.
    """
    record = (directory / ".hydra").resolve()
    if record in _held:
        return
    descriptor = os.open(record, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigError(
            f"{directory}: another process is at work there; wait until it ends, or stop it, and "
            "give the same command again"
        ) from None
    except OSError:
        pass   # a file system without locks; the claim of new directories works there all the same
    _held[record] = descriptor
