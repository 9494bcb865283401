"""SIGTERM, as a question that the training loop asks between two intervals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interruption:
    """Whether the process has been asked to stop."""

    requested: bool = False


@contextmanager
def watch_for_interruption() -> Iterator[Interruption]:
    """Turns SIGTERM into `.requested` while the block runs; the second one kills as usual.

    Outside the main thread Python allows no signal handlers; there, nothing is ever requested.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return

    def once(signum: int, frame: FrameType | None) -> None:
        interruption.requested = True
        signal.signal(signal.SIGTERM, previous)

    previous = signal.signal(signal.SIGTERM, once)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGTERM, previous)
