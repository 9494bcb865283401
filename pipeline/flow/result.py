"""What a run did, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipeline import evaluate, gate, persistence, train, verification
from pipeline.context import Context
from pipeline.gate import ExitCode


@dataclass
class RunResult:
    """What a run did; a stage that did not take place left its field empty."""

    context: Context
    started: datetime = field(default_factory=lambda: datetime.now().astimezone())
    durations: dict[str, float] = field(default_factory=dict)    # seconds by stage
    fit: train.FitResult | None = None
    evaluation: evaluate.Evaluation | None = None
    artifacts: list[persistence.Artifact] = field(default_factory=list)
    parities: list[verification.Parity] = field(default_factory=list)
    verdicts: list[gate.Verdict] = field(default_factory=list)
    exit_code: ExitCode = ExitCode.PASSED

    @property
    def directory(self) -> Path:
        """The run's own."""
        return self.context.directory

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the block's time under `name`."""
        began = time.perf_counter()
        yield
        self.durations[name] = self.durations.get(name, 0.0) + time.perf_counter() - began
