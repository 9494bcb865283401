"""When something began: the one clock by which a run's durations are told everywhere."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

_STAT = Path("/proc/self/stat")
_START_TIME = 22 - 3    # proc(5): field 22, and fields are counted from the third, after the name


@dataclass(frozen=True)
class Clock:
    """A beginning, for people and for measuring."""

    started: datetime     # with its time zone
    began: float          # by time.perf_counter

    @classmethod
    def now(cls) -> Clock:
        """Of what begins here."""
        return cls(datetime.now().astimezone(), time.perf_counter())

    @classmethod
    def of_process(cls) -> Clock:
        """Of this process, the interpreter's own beginning included where the system tells it."""
        now, age = cls.now(), process_age()
        return cls(now.started - timedelta(seconds=age), now.began - age)

    def having_taken(self, seconds: float) -> Clock:
        """The same beginning, by whose clock `seconds` have passed: a share of what took longer."""
        return Clock(self.started, time.perf_counter() - seconds)

    @property
    def seconds(self) -> float:
        """Since then."""
        return time.perf_counter() - self.began


def process_age() -> float:
    """Seconds since this process was made, to the hundredth; 0 where the system has no `/proc`."""
    try:
        # The name before them may hold spaces and brackets.
        fields = _STAT.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        since_boot = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
