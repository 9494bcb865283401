"""What a run did, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import evaluate, gate, persistence, train, verification
from pipeline.context import Context
from pipeline.gate import ExitCode


@dataclass
class RunResult:
    """What a run did; a stage that did not take place left its field empty."""

    context: Context
    durations: dict[str, float] = field(default_factory=dict)    # seconds by stage; sum: until now
    fit: train.FitResult | None = None
    evaluation: evaluate.Evaluation | None = None
    artifacts: list[persistence.Artifact] = field(default_factory=list)
    parities: list[verification.Parity] = field(default_factory=list)
    verdicts: list[gate.Verdict] = field(default_factory=list)
    exit_code: ExitCode = ExitCode.PASSED

    def __post_init__(self) -> None:
        if not self.durations:
            self._count("startup", self.context.clock.seconds)

    @property
    def directory(self) -> Path:
        """The run's own."""
        return self.context.directory

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts under `name` the time since the stage before, so that none is left out."""
        yield
        self._count(name, self.context.clock.seconds - sum(self.durations.values()))

    def count_compiling(self, seconds: float) -> None:
        """Tells what training took for compiling as a stage of its own."""
        if seconds:
            self._count("compile", seconds)
            self._count("train", -seconds)

    def _count(self, name: str, seconds: float) -> None:
        self.durations[name] = self.durations.get(name, 0.0) + seconds
