"""A run's own directory: claimed once, never overwritten, and able to say how it came about."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.config.errors import ConfigError


def claim(
    directory: Path, records: Mapping[str, str], overrides: Sequence[str], *, resume: bool
) -> None:
    """Makes `directory` this run's, and writes `.hydra/` into it.

    Creating `.hydra/` is the claim: of two runs given the same directory one fails here, before
    either has written anything else.

    Args:
        directory: created when absent.
        records: file name → text, such as the resolved configuration.
        overrides: the command line, kept as the command that repeats the run.
        resume: the directory may already be a run's; its record stays as it is.

    Raises:
        ConfigError: another run has the directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    record = directory / ".hydra"
    try:
        record.mkdir()
    except FileExistsError:
        if resume:
            return
        raise ConfigError(
            f"hydra.run.dir={directory}: already holds a run, which is never overwritten; choose "
            "another directory, or go on with that run by restore=auto"
        ) from None
    command = shlex.join(["python", "run.py", *overrides]) + "\n"
    for name, text in {**records, "command.txt": command}.items():
        (record / name).write_text(text, encoding="utf-8")
