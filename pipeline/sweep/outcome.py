"""How a run ended, in its own directory: `outcome.json`, and `traceback.txt` where it raised.

Files, because a launcher's jobs end in other processes and on other machines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import gate
from pipeline.files import write_atomically
from pipeline.gate import Ending, ExitCode

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
             *map(gate.case_of_verdict, gate.load_verdicts(directory))]
    gate.write_junit(directory.name, cases, directory)
    gate.write_manifest(directory)


def load(directory: Path) -> Outcome | None:
    """How the run in a directory ended; None when it has not."""
    path = directory / FILE_NAME
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    trace = directory / _TRACEBACK
    ending = Ending(
        exit_code=ExitCode(record["exit_code"]),
        started=datetime.fromisoformat(record["started"]),
        seconds=record["seconds"],
        error=record["error"],
        traceback=trace.read_text(encoding="utf-8") if trace.exists() else "",
    )
    return Outcome(ending, record["number"], record["seed"], tuple(record["overrides"]))
