"""SIGTERM: the one module that handles a signal, and says what becomes of it where."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
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


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, by KeyboardInterrupt."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def on_termination(act: Callable[[], None]) -> None:
    """Lets SIGTERM call `act` from now on."""
    signal.signal(signal.SIGTERM, lambda signum, frame: act())


def leave_termination_to_the_sweep() -> None:
    """SIGTERM sent to a whole group of processes must not kill a worker that is between two jobs.

    While it trains the signal is heard as everywhere (`watch_for_interruption`).
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda signum, frame: None)
