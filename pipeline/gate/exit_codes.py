"""How a process ends, and what it says when something went wrong."""

from __future__ import annotations

import enum
import logging
import sys
from collections.abc import Callable

from pipeline.errors import PipelineError

log = logging.getLogger(__name__)


class ExitCode(enum.IntEnum):
    """What the process ends with; argparse itself ends with 2 on wrong usage."""

    PASSED = 0
    FAILED = 1            # a crash, or a configuration that can't be used
    INTEGRITY = 4         # data or an artefact is not what it should be
    RESUMABLE = 75        # asked to stop; the same command with restore=auto goes on (EX_TEMPFAIL)
    INTERRUPTED = 130     # Ctrl-C: 128 + SIGINT


def guard(action: Callable[[], ExitCode | None]) -> ExitCode:
    """Runs `action`; an error becomes a message and an exit code.

    What a user caused is told in a paragraph. Anything else is our mistake and keeps its traceback.
    """
    try:
        return action() or ExitCode.PASSED
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return ExitCode(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception:
        log.exception("the run failed unexpectedly")
        return ExitCode.FAILED
