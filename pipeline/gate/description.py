"""The golden description of a model's variables: a text file in git, one variable a line.

    layer1/weights  float32  784x500  trainable

Renaming a variable breaks every checkpoint written before; this file makes it a decision.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from pipeline import invocation
from pipeline.files import write_atomically
from pipeline.gate.errors import GateError
from pipeline.gate.record import Record
from pipeline.gate.verdict import Outcome, Verdict


def _accept(path: Path | str) -> str:
    return invocation.command(
        ["task=gate", "run=DIR", "gate.accept=true", f"gate.variables={path}"])


def describe_variables(record: Record) -> list[str]:
    """One line for each variable of a run, in the order of creation."""
    return [
        "  ".join([row["name"], row["dtype"], "x".join(map(str, row["shape"])) or "scalar",
                   "trainable" if row["trainable"] else "fixed"])
        for row in record["variables"]
    ]


def save_description(path: Path, record: Record) -> None:
    """Makes a run's variables the expected ones."""
    head = f"# The variables of a model. After a change that is meant: {_accept(path)}"
    write_atomically(path, "\n".join([head, *describe_variables(record)]) + "\n")


def load_description(path: Path) -> list[str]:
    """The expected lines, comments left out.

    Raises:
        GateError: there is no such file.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise GateError(f"gate.variables={path}: no such file; write it from a finished run by "
                        f"{_accept(path)}") from None
    return [line for line in lines if line.strip() and not line.startswith("#")]


def judge_variables(record: Record, expected: list[str], path: str) -> Verdict:
    """Whether names, dtypes, shapes and their order are what they were."""
    found = describe_variables(record)
    changed = [line for line in difflib.unified_diff(expected, found, lineterm="", n=0)
               if line[0] in "+-" and line[:3] not in ("+++", "---")]
    return Verdict(
        "variables", Outcome.FAILED if changed else Outcome.PASSED,
        found=f"{len(found)} variables", expected=f"the {len(expected)} of {path}",
        detail="\n".join([*changed, f"if this is meant: {_accept(path)}"]) if changed else "",
    )
