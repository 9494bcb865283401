"""How a run ended, in its own directory: `outcome.json`, and `traceback.txt` where it raised.

Files, because a launcher's jobs end in other processes and on other machines.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from pipeline import gate
from pipeline.files import write_atomically
from pipeline.gate import Ending, ExitCode
from pipeline.runs import RecordError, read_json

log = logging.getLogger(__name__)

FILE_NAME = "outcome.json"
_TRACEBACK = "traceback.txt"
_FINISHED = (ExitCode.PASSED, ExitCode.GATE_FAILED)


@dataclass(frozen=True)
class Outcome:
    """One run's end; `seed` is None when its configuration could not be read."""

    ending: Ending
    number: int | None
    seed: int | None
    overrides: tuple[str, ...]

    @property
    def is_finished(self) -> bool:
        """Whether the work is done, good enough or not."""
        return self.ending.exit_code in _FINISHED

    @property
    def name(self) -> str:
        """For people."""
        return name_of_run(self.number, self.overrides, self.seed)


def name_of_run(number: int | None, overrides: Sequence[str], seed: int | None) -> str:
    """For people: the job's number and what it was told."""
    numbers = [] if number is None else [str(number)]
    told = [one for one in overrides if not one.startswith(("seed=", "seeds="))]
    seeds = [] if seed is None else [f"seed={seed}"]
    return " ".join([*numbers, *told, *seeds])


def save(outcome: Outcome, directory: Path) -> None:
    """Writes `outcome.json`, `junit.xml`, the traceback if there is one, and last the manifest."""
    ending = outcome.ending
    record = {
        "schema_version": 1, "number": outcome.number, "seed": outcome.seed,
        "overrides": outcome.overrides, "exit_code": ending.exit_code,
        "started": ending.started.isoformat(), "seconds": ending.seconds, "error": ending.error,
    }
    if outcome.ending.traceback:
        write_atomically(directory / _TRACEBACK, outcome.ending.traceback)
    else:
        (directory / _TRACEBACK).unlink(missing_ok=True)   # of an attempt before
    write_atomically(directory / FILE_NAME, json.dumps(record, indent=2) + "\n")
    cases = [gate.case_of_job(outcome.name, outcome.ending),
             *(gate.case_of_verdict(verdict, ending.exit_code)
               for verdict in gate.load_verdicts(directory))]
    gate.write_junit(directory.name, cases, directory)
    gate.write_manifest(directory)


@dataclass(frozen=True, kw_only=True)
class _Record:
    """`outcome.json`."""

    schema_version: Literal[1]
    number: Annotated[int, Field(ge=0)] | None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None
    overrides: list[str]
    exit_code: ExitCode
    started: Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 2, tzinfo=UTC),
                                            lt=datetime(3000, 1, 1, tzinfo=UTC))]
    seconds: Annotated[float, Field(ge=0.0, lt=1e9)]
    error: str


def load(directory: Path) -> Outcome | None:
    """How the run in a directory ended; None when it has not.

    Raises:
        RecordError: `outcome.json` is damaged.
    """
    path = directory / FILE_NAME
    if not path.exists():
        return None
    record = read_json(path, _Record, "the run must be gone on with or repeated")
    trace = directory / _TRACEBACK
    ending = Ending(
        exit_code=record.exit_code,
        started=record.started,
        seconds=record.seconds,
        error=record.error,
        traceback=trace.read_text(encoding="utf-8", errors="replace") if trace.is_file() else "",
    )
    return Outcome(ending, record.number, record.seed, tuple(record.overrides))


def load_sound(directory: Path) -> Outcome | None:
    """The same, where a damaged one is that of a run which did not end."""
    try:
        return load(directory)
    except RecordError as error:
        log.warning("%s; taken for a run that did not end", error)
        return None
