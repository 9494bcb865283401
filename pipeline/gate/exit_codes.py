"""How a process ends, and what it says when something went wrong."""

from __future__ import annotations

import enum
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline import extras
from pipeline.errors import PipelineError

log = logging.getLogger(__name__)


class ExitCode(enum.IntEnum):
    """What the process ends with."""

    PASSED = 0
    FAILED = 1            # a crash, or a configuration that can't be used
    USAGE = 2             # argparse's own: an option that doesn't exist
    GATE_FAILED = 3       # the run is sound, and not good enough
    INTEGRITY = 4         # data or an artefact is not what it should be
    RESUMABLE = 75        # asked to stop; can go on where it stopped (EX_TEMPFAIL of sysexits.h)
    INTERRUPTED = 130     # Ctrl-C: 128 + SIGINT


# From what says least about the work to what says most: a sweep ends with its first in this order.
_PRECEDENCE = (
    ExitCode.INTERRUPTED, ExitCode.RESUMABLE, ExitCode.USAGE, ExitCode.FAILED, ExitCode.INTEGRITY,
    ExitCode.GATE_FAILED, ExitCode.PASSED,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """What several endings amount to: the one that leaves most undone; PASSED for none."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.PASSED)


@dataclass(frozen=True)
class Ending:
    """How one action ended; `error` and `traceback` are empty unless it raised."""

    exit_code: ExitCode
    started: datetime
    seconds: float
    error: str = ""
    traceback: str = ""


def attempt(action: Callable[[], ExitCode | None]) -> Ending:
    """Runs `action` and never raises: an error becomes a message, an exit code and a record.

    What a user caused is told in a paragraph. Anything else is our mistake and is told with its
    traceback.
    """
    started, begun = datetime.now().astimezone(), time.perf_counter()
    code, error, trace = ExitCode.PASSED, "", ""
    try:
        code = _explained(action) or ExitCode.PASSED
    except PipelineError as caught:
        code, error, trace = ExitCode(caught.exit_code), str(caught), traceback.format_exc()
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        code, error = ExitCode.INTERRUPTED, "interrupted"
        print(error, file=sys.stderr)
    except Exception as caught:
        code, error = ExitCode.FAILED, f"{type(caught).__name__}: {caught}"
        trace = traceback.format_exc()
        log.exception("the run failed unexpectedly")
    return Ending(code, started, time.perf_counter() - begun, error, trace)


def _explained(action: Callable[[], ExitCode | None]) -> ExitCode | None:
    try:
        return action()
    except ModuleNotFoundError as missing:
        told = extras.explain(missing)
        if told is None:
            raise
        raise told from missing


def guard(action: Callable[[], ExitCode | None]) -> ExitCode:
    """Runs `action`; an error becomes a message and an exit code."""
    return attempt(action).exit_code
