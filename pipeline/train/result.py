"""What training gives back."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.model import Variables
from pipeline.train.history import Interval
from pipeline.train.snapshot import Snapshot


class Stop(enum.Enum):
    """Why training ended."""

    FINISHED = "all steps done"
    EARLY = "the validation metric stopped improving"
    PRUNED = "an observer saw no promise in it"
    INTERRUPTED = "asked to stop; can be resumed"


@dataclass(frozen=True)
class FitResult:
    """A trained model, and all that is needed to train it further."""

    snapshot: Snapshot
    stop: Stop
    compile_seconds: float = 0.0   # of the time it took, those for compiling the intervals' program

    @property
    def variables(self) -> Variables:
        """What to evaluate and persist: EMA shadows where the run keeps them."""
        return self.snapshot.state.averaged

    @property
    def history(self) -> list[Interval]:
        """One entry an interval, those before a resume included."""
        return self.snapshot.history
