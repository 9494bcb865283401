"""Exactly what a run's report shows, as the rooms made it; nothing here is computed twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.dataset import Examples, Labels
from pipeline.data.description import numbered
from pipeline.report import quantities

if TYPE_CHECKING:   # for their shape alone: a page can be made without importing JAX
    from pipeline.evaluate import Evaluation
    from pipeline.gate import Point, Verdict
    from pipeline.persistence import Artifact
    from pipeline.train import Interval
    from pipeline.verification import Parity


@dataclass(frozen=True, kw_only=True)
class VariableRow:
    """One variable of the model: `name` is its full TF1 name without `:0`."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    count: int                     # of numbers in it
    trainable: bool
    collections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """An artefact with one comparison to the model; either may be missing, not both."""

    name: str
    artifact: Artifact | None
    parity: Parity | None

    @property
    def size(self) -> int | None:
        """Bytes of all the artefact's files."""
        return sum(file.bytes for file in self.artifact.files) if self.artifact else None

    def path_within(self, directory: Path) -> str:
        """The artefact's path from the directory, or as it is when it lies elsewhere."""
        if self.artifact is None:
            return ""
        path = self.artifact.path
        return str(path.relative_to(directory) if path.is_relative_to(directory) else path)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A finished run. Empty sequences are sections that say so."""

    name: str                                  # of the run: its directory's name
    started: datetime                          # with its time zone
    config_yaml: str                           # resolved
    durations: Mapping[str, float]             # seconds by stage, in their order
    environment: Mapping[str, str]             # versions, device, git revision, seed, command line
    variables: Sequence[VariableRow]           # in creation order
    history: Sequence[Interval] = ()
    evaluation: Evaluation | None = None       # on the test split
    pixels: Examples = field(                  # [n, …]: the test split, as its `DataSet` has it
        default_factory=lambda: np.zeros([0, 28, 28], np.uint8))
    classes: Sequence[str] = numbered(10)      # their names, by label
    digits: Labels = field(                    # [n]: its labels
        default_factory=lambda: np.zeros([0], np.uint8))
    artifacts: Sequence[Artifact] = ()
    parities: Sequence[Parity] = ()            # by `artifact`, an Artifact's target
    verdicts: Sequence[Verdict] = ()           # what the gates said
    trend: Sequence[Point] = ()                # of scheduled runs, this one last; empty: none kept
    graph_def: Any = None                      # the inference graph's GraphDef, for TensorBoard
    data: str = ""                             # the data set, in words
    stopped: str = ""                          # why training ended
    notes: str = ""                            # the user's

    @property
    def parameters(self) -> int:
        """How many numbers the trainable variables hold."""
        return sum(row.count for row in self.variables if row.trainable)

    @property
    def seconds(self) -> float:
        """The whole run's duration."""
        return sum(self.durations.values())

    @property
    def overhead(self) -> str:
        """What of the duration was neither data, model nor results, in words."""
        named = (("startup", "start-up"), ("compile", "compiling"))
        return ", ".join(f"{word} {quantities.duration(self.durations[stage])}"
                         for stage, word in named if stage in self.durations)

    @property
    def verified(self) -> bool | None:
        """Whether every artefact agrees with the model; None when none was compared."""
        return all(parity.agrees for parity in self.parities) if self.parities else None

    @property
    def verdict(self) -> str:
        """How the artefacts compare with the model, in words."""
        if self.verified is None:
            return "not verified" if self.artifacts else "none, nothing to verify"
        disagreeing = sum(not parity.agrees for parity in self.parities)
        total = len(self.parities)
        return f"{disagreeing} of {total} disagree" if disagreeing else f"{total} of {total} agree"

    @property
    def comparisons(self) -> list[Comparison]:
        """Every artefact with every parity of it, then parities of what is no artefact."""
        found = []
        for artifact in self.artifacts:
            its: list[Parity | None] = [
                parity for parity in self.parities if parity.artifact == artifact.target]
            found += [Comparison(artifact.target, artifact, parity) for parity in its or [None]]
        known = {artifact.target for artifact in self.artifacts}
        found += [Comparison(parity.artifact, None, parity)
                  for parity in self.parities if parity.artifact not in known]
        return found
