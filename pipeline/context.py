"""What a task is told besides its options: the command as typed, where it runs, who watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import Clock

if TYPE_CHECKING:   # train imports JAX
    from pipeline.train import Observer


@dataclass(frozen=True)
class Context:
    """One task's; made where it begins and passed on."""

    directory: Path                # the run's own; of a task that makes none, the working directory
    task: str = "train"            # its name
    command: str = ""              # as typed
    observers: Sequence[Observer] = ()   # told of each interval of training; may end it
    clock: Clock = field(default_factory=Clock.now)   # when what it does began
