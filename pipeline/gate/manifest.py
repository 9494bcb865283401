"""`manifest.json`: size and sha256 of every file of a run, so that it can be proven whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline import runs
from pipeline.config.enclosure import below
from pipeline.errors import IntegrityError
from pipeline.files import write_atomically

FILE_NAME = "manifest.json"
_LOG = "run.log"
_REMEDY = "restore the files or repeat the run"


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file as the run left it."""

    path: runs.PathText
    bytes: Annotated[int, Field(ge=0)]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class _Record:
    """`manifest.json`."""

    runs: list[runs.PathText]
    files: list[_File]


class ManifestError(IntegrityError):
    """A run's files are not those it ended with."""


def write_manifest(directory: Path) -> Path:
    """Lists every file below the directory but the manifest itself, in the order of their names.

    Runs inside it that have a manifest are listed by name alone: each one's proves it whole, and
    goes on doing so when that run is judged again.
    """
    runs = [path.parent.relative_to(directory).as_posix()
            for path in sorted(directory.rglob(FILE_NAME)) if path.parent != directory]
    files = [{"path": name, "bytes": path.stat().st_size, "sha256": _digest(path)}
             for name in _files(directory, runs) for path in [directory / name]]
    path = directory / FILE_NAME
    content = {"schema_version": 1, "runs": runs, "files": files}
    write_atomically(path, json.dumps(content, indent=1) + "\n")
    return path


def require_manifest(directory: Path) -> None:
    """Proves that a run's files are those it ended with.

    Files added since are no damage, nor are lines added to the log, as when a sweep that goes on
    skips the run.

    Raises:
        ManifestError: names every file that is missing or changed, or there is no manifest.
        LeadsOut: it lists what lies elsewhere.
        RecordError: the manifest is damaged.
    """
    try:
        content = runs.read_json(directory / FILE_NAME, _Record, _REMEDY)
    except FileNotFoundError:
        raise ManifestError(f"{directory}: no {FILE_NAME} in it; the run did not end") from None
    wrong = [f"{file.path}: {problem}" for file in content.files
             if (problem := _problem(below(directory, file.path), file.bytes, file.sha256))]
    inner = [below(directory, run) for run in content.runs]
    # "." and a link back up would be proven for ever.
    wrong += [f"{run.name}: is the directory itself" for run in inner
              if os.path.realpath(run) == os.path.realpath(directory)]
    if wrong:
        raise ManifestError(f"{directory}: not as the run left it; {_REMEDY}\n  "
                            + "\n  ".join(wrong))
    for run in inner:
        require_manifest(run)


def _files(directory: Path, runs: Sequence[str]) -> list[str]:
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path != Path(FILE_NAME)
                  and not any(path.is_relative_to(run) for run in runs))


def _problem(path: Path, size: int, digest: str) -> str:
    if not path.is_file():
        return "missing"
    found = path.stat().st_size
    if path.name == _LOG and found > size:
        with path.open("rb") as stream:
            before = hashlib.sha256(stream.read(size)).hexdigest()
        return "" if before == digest else "its content has changed"
    if found != size:
        return f"{found} bytes, expected {size}"
    return "" if _digest(path) == digest else "its content has changed"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
