"""What to say of a directory that holds several runs where one of them is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_MOST = 4    # runs that are named


def several_runs(directory: Path) -> str:
    """`a sweep of 2 runs; the best is sweep/1`, or which runs there are; empty where none is."""
    runs = _runs(directory)
    if not runs:
        return ""
    count = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    best = _best(directory)
    if best is not None:
        return f"a sweep of {count}; the best is {best}"
    named = ", ".join([*map(str, runs[:_MOST]), *["…"] * (len(runs) > _MOST)])
    return f"a directory of {count}: {named}"


def why_no_run(path: Path) -> str:
    """What is wrong with a path at which the directory of one run was expected."""
    if several := several_runs(path):
        return f"is {several}; give one run"
    there = path.exists()
    found = "no run there (no .hydra/config.yaml)" if there else "there is no such directory"
    return (f"{found}; give the directory of a finished run, such as "
            "outputs/2026-01-31/12-00-00-abcdef")


def _runs(directory: Path) -> list[Path]:
    """In the order of their jobs; a job over several seeds is no run itself."""
    found = [path.parent for pattern in ("*/.hydra", "*/*/.hydra")
             for path in directory.glob(pattern)]
    several = {path.parent for path in found}
    return sorted((path for path in found if path not in several),
                  key=lambda path: [(len(part), part) if part.isdecimal() else (0, part)
                                    for part in path.parts])


def _best(directory: Path) -> Path | None:
    """As `sweep.json` says; None where nothing was ranked, or it cannot be read."""
    from pipeline.runs import RecordError, read_json  # late: it imports pydantic

    try:
        name = read_json(directory / "sweep.json", dict[str, Any], "").get("best")
    except (OSError, RecordError):
        return None
    return directory / name if isinstance(name, str) else None
