"""What gates say of a run: one verdict each, and what they amount to."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pipeline import runs
from pipeline.files import write_atomically
from pipeline.gate.exit_codes import ExitCode

FILE_NAME = "gate.json"


class Outcome(enum.StrEnum):
    """What a gate came to."""

    PASSED = "passed"
    INVESTIGATE = "investigate"    # looks worse, and there are too few figures to tell
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """One gate: `name` is its key under `gate`, `found` and `expected` are for people."""

    name: str
    outcome: Outcome
    found: str
    expected: str
    detail: str = ""


def overall(verdicts: Sequence[Verdict]) -> Outcome:
    """The worst of all."""
    found = {verdict.outcome for verdict in verdicts}
    for outcome in (Outcome.FAILED, Outcome.INVESTIGATE):
        if outcome in found:
            return outcome
    return Outcome.PASSED


def exit_code(verdicts: Sequence[Verdict], undecided: Literal["pass", "fail"]) -> ExitCode:
    """PASSED or GATE_FAILED; `undecided` says what "investigate" counts as."""
    outcome = overall(verdicts)
    fails = outcome is Outcome.FAILED or (outcome is Outcome.INVESTIGATE and undecided == "fail")
    return ExitCode.GATE_FAILED if fails else ExitCode.PASSED


@dataclass(frozen=True, kw_only=True)
class _Record:
    """`gate.json`."""

    schema_version: Literal[1]
    outcome: Outcome
    gates: list[Verdict]


def save_verdicts(verdicts: Sequence[Verdict], directory: Path) -> None:
    """Writes `gate.json`."""
    record = {
        "schema_version": 1,
        "outcome": overall(verdicts),
        "gates": [asdict(verdict) for verdict in verdicts],
    }
    write_atomically(directory / FILE_NAME, json.dumps(record, indent=2) + "\n")


def load_verdicts(directory: Path) -> list[Verdict]:
    """What `save_verdicts` wrote; none where nothing was judged.

    Raises:
        RecordError: it is damaged.
    """
    path = directory / FILE_NAME
    if not path.exists():
        return []
    return runs.read_json(path, _Record, "judge the run again with task=gate").gates
