"""What every kind of artefact answers; what writes, reads or verifies them asks no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.config.model import ModelConfig
from pipeline.model import Network, Variables
from pipeline.persistence.artifact import Artifact
from pipeline.train import Snapshot

Pixels: TypeAlias = NDArray[np.uint8]
Logits: TypeAlias = NDArray[np.float32]
Target = TypeVar("Target")


@dataclass(frozen=True)
class Trained:
    """A model to persist.

    Attributes:
        network: the model.
        variables: to evaluate: averages where the run keeps them.
        step: the updates behind them.
        snapshot: the whole training state; None when only variables were restored.
    """

    network: Network
    variables: Variables
    step: int
    snapshot: Snapshot | None = None

    @property
    def current(self) -> Variables:
        """The variables as training left them, not averaged."""
        return self.variables if self.snapshot is None else self.snapshot.state.variables


class Written(NamedTuple):
    """What a reader is given, and all files of it."""

    path: Path
    files: Sequence[Path]


class Reading(NamedTuple):
    """What an artefact computes, and the variables whose native logits it must equal.

    Those to evaluate or, where a graph names the variables themselves, those that training left.
    """

    name: str
    logits: Logits
    variables: Variables


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Target]):
    """One kind of artefact.

    Attributes:
        write: a target into the run's directory; each file is complete or absent. Raises
            PersistenceError, or LoweringError for what TensorFlow's ops can't express.
        readings: of what was written, read back from disk and run on uint8 pictures.
        at: what of this kind lies at the very path that a user gave.
        inside: what of this kind the directory of a run holds.
        variables: at such a path, of the given names or more. None for a kind that does not keep
            them by name.
        logits: what is computed at such a path; None where the variables are given to the network.
        needs_snapshot: whether it holds a whole training state and not only variables.
        require_packages: raises PersistenceError where an extra is not installed.
    """

    write: Callable[[Target, Trained, Path], Written]
    readings: Callable[[Target, Artifact, Trained, Pixels], Iterator[Reading]]
    at: Callable[[Path], Path | None] = lambda path: None
    inside: Callable[[Path], Path | None] = lambda directory: None
    variables: Callable[[Path, Sequence[str]], Mapping[str, Any]] | None = None
    logits: Callable[[Path, Network, Pixels, ModelConfig], Logits] | None = None
    needs_snapshot: bool = False
    require_packages: Callable[[], None] = lambda: None
