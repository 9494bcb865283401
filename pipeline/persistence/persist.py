"""Writing what a run leaves: the targets that `conf/persistence` names."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.config.persistence import TargetConfig
from pipeline.persistence.artifact import Artifact, describe_files
from pipeline.persistence.kinds import KINDS
from pipeline.persistence.kinds.kind import Trained

log = logging.getLogger(__name__)


def check_packages(targets: Iterable[TargetConfig]) -> None:
    """Refuses a target that could not be written or verified, before anything is trained.

    Raises:
        PersistenceError: a package is not installed.
    """
    for target in targets:
        KINDS[target.kind].require_packages()


def persist(
    targets: Mapping[str, TargetConfig], trained: Trained, run_directory: Path
) -> list[Artifact]:
    """Writes every target under the run's directory; each file is complete or absent.

    Raises:
        PersistenceError: a target can't be written from what there is.
        LoweringError: the model has operations that TensorFlow's ops can't express.
    """
    artifacts = []
    for name, target in targets.items():
        path, files = KINDS[target.kind].write(target, trained, run_directory)
        artifacts.append(Artifact(name, target.kind, path, describe_files(files, run_directory)))
    return artifacts


def written_from_variables(targets: dict[str, TargetConfig]) -> dict[str, TargetConfig]:
    """Those targets for which variables are enough; the log tells of the others.

    Where the training state is all that is asked for, it stays, for `persist` to refuse.
    """
    enough: dict[str, TargetConfig] = {
        name: target for name, target in targets.items()
        if not KINDS[target.kind].needs_snapshot
    }
    if not enough:
        return targets
    for name in targets:
        if name not in enough:
            log.info("%s is left out: it holds a training state, and here are variables", name)
    return enough
