"""Something written for others to read, and the proof of what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import IntegrityError, PipelineError


class PersistenceError(PipelineError):
    """An artefact cannot be written or read back as asked."""


class ArtifactError(PersistenceError, IntegrityError):
    """An artefact is there, and is damaged or not what it should be."""


@dataclass(frozen=True)
class File:
    """One file of an artefact; `path` is relative to the run's directory."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Artifact:
    """One target's outcome; `path` is what its readers are given: a file, prefix or directory."""

    target: str
    kind: str
    path: Path
    files: tuple[File, ...]


def describe_files(paths: Iterable[Path], run_directory: Path) -> tuple[File, ...]:
    """Size and digest of each file, in the order of their names."""
    described = []
    for path in sorted(paths):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        described.append(File(path.relative_to(run_directory), path.stat().st_size, digest))
    return tuple(described)
