"""task=convert: an orbax step as a TensorFlow checkpoint, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.config import ConfigError
from pipeline.config.schema import RuntimeConfig
from pipeline.context import Context
from pipeline.gate import ExitCode


@dataclass(kw_only=True)
class Options:
    """What becomes what."""

    path: str | None = None        # an orbax step, or a checkpoint's prefix
    destination: str | None = None  # the new checkpoint's prefix, or the new step's directory
    runtime: RuntimeConfig


def run(options: Options, context: Context) -> ExitCode:
    """Turns the orbax step at `path` into a TensorFlow checkpoint, or the other way round.

    Raises:
        PersistenceError: `path` is neither, or `destination` exists.
    """
    if options.path is None or options.destination is None:
        raise ConfigError("path, destination: task=convert needs both; say what becomes what")
    from pipeline.persistence.convert import convert

    print(convert(Path(options.path), Path(options.destination)))
    return ExitCode.PASSED
