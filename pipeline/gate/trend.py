"""The trend file: one JSON object a line, appended at the end of every scheduled run or sweep."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.gate.errors import GateError
from pipeline.gate.record import Record, find_metric

log = logging.getLogger(__name__)

METRICS = ("test_accuracy", "test_loss", "durations.train")


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run, or one sweep's best setting over its seeds; `metrics` holds one value a seed."""

    time: str                      # ISO 8601 with offset
    name: str
    exit_code: int
    git_revision: str | None = None
    dirty: bool | None = None
    config_hash: str = ""
    metrics: dict[str, list[float]] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """When the run began."""
        return datetime.fromisoformat(self.time)


def trend_point(name: str, started: datetime, exit_code: int, records: Sequence[Record]) -> Point:
    """A point of the trend from the runs' records; from none when nothing came of it."""
    origin: Mapping[str, Any] = records[0] if records else {}
    git = origin.get("git", {})
    values = {metric: [find_metric(record, metric) for record in records] for metric in METRICS}
    return Point(
        time=started.isoformat(timespec="seconds"), name=name, exit_code=exit_code,
        git_revision=git.get("revision"), dirty=git.get("dirty"),
        config_hash=origin.get("config_hash", ""),
        metrics={metric: [value for value in found if value is not None]
                 for metric, found in values.items() if any(v is not None for v in found)},
    )


def append_to_trend(path: Path, new: Point) -> None:
    """Adds one line, durably, in one write; several processes may append to the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        # Without a lock, a line that another process is about to write looks like one cut off.
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        broken = file.read(1) not in (b"", b"\n")
        file.write(("\n" * broken + json.dumps(asdict(new)) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def load_trend(path: Path) -> list[Point]:
    """One point a run in the order of the file; none where there is no file yet.

    Of a run that was resumed or judged again the last line counts. A line that was cut off by a
    crash is left out with a warning.

    Raises:
        GateError: the file is no trend file at all.
    """
    if not path.exists():
        return []
    points: dict[tuple[str, str], Point] = {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            point = Point(**json.loads(line))
            points[point.time, point.name] = point
        except (ValueError, TypeError):
            log.warning("gate.trend=%s: line %d is no point of a trend; left out", path, number)
    if lines and not points:
        raise GateError(f"gate.trend={path}: none of its {len(lines)} lines is a point of a trend; "
                        "give another file")
    return list(points.values())


def trend_with(path: Path, this: Point) -> list[Point]:
    """All other runs of the file, then `this` one.

    Raises:
        GateError: the file is no trend file at all.
    """
    others = [one for one in load_trend(path) if (one.time, one.name) != (this.time, this.name)]
    return [*others, this]
