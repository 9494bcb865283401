"""task=serve: a finished run to look at in a browser."""

from __future__ import annotations

from pipeline.config.serve import ServeOptions as Options
from pipeline.context import Context
from pipeline.gate import ExitCode

__all__ = ["Options", "run"]


def run(options: Options, context: Context) -> ExitCode:
    """Answers for the run `options.run` until it is interrupted or terminated.

    Raises:
        ConfigError: there is no such run, or the address can't be had.
        PersistenceError, LoweringError: the run can't be opened.
    """
    from pipeline import serve

    return serve.serve(options)
