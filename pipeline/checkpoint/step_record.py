"""The checksums of an orbax step's files, kept in the step itself; orbax keeps none.

    checksums.json: {"version": 1, "files": {"arrays/d/cd3d…": [bytes, crc32c], …}}

Whoever reads a step compares first: one flipped bit in an array's chunk would be other values.
A step without the file is somebody else's (or older than this file) and cannot be checked.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.checkpoint import crc
from pipeline.checkpoint.errors import CheckpointError, DataLossError, translated
from pipeline.files import sync_directory, write_atomically
from pipeline.reading import open_file, read_bytes, require_file

FILE_NAME = "checksums.json"
_VERSION = 1
_PIECE = 1 << 20   # bytes; what lies in the cache is read and summed fastest
_THREADS = 2
_DEEPEST = 32      # directories; a link may lead around in a circle


class Checksum(NamedTuple):
    """What a file of a step holds."""

    size: int
    crc32c: int


def write_checksums(step: str | os.PathLike[str]) -> None:
    """Makes a finished step durable, and records what is in each of its files.

    Raises:
        OSError: it cannot be read, or the disk is full.
    """
    files = sorted(_files(os.fspath(step)))
    found = dict(zip(files, _checksums(step, files, durable=True), strict=True))
    content = json.dumps({"version": _VERSION, "files": found}, indent=0)
    write_atomically(os.path.join(step, FILE_NAME), content)
    for directory, _, _ in os.walk(step):
        sync_directory(Path(directory))


def check_step(step: str | os.PathLike[str], *, content: bool = True) -> bool:
    """Compares a step's files with its record.

    Args:
        step: the directory.
        content: compare checksums too, not only which files there are and their sizes.

    Returns:
        Whether there is a record; without one nothing is known to be right.

    Raises:
        DataLossError: it names every file that is changed, missing, or not of the step; or a
            FIFO, a socket or a device is among them.
    """
    step = _recorded_whole(os.fspath(step))
    with translated(f"cannot read {step}"):
        there = set(_files(step)) - {FILE_NAME}
        recorded = _read(step)
        if recorded is None:
            return False
        wrong = [f"{name}: missing" for name in sorted(recorded.keys() - there)]
        wrong += [f"{name}: is not of this step; move it elsewhere"
                  for name in sorted(there - recorded.keys())]
        wrong += _changed(step, {name: recorded[name] for name in sorted(recorded.keys() & there)},
                          content)
    if wrong:
        raise DataLossError(f"{step}: damaged: " + "; ".join(wrong))
    return True


def tell_check(
    step: str | os.PathLike[str], *, content: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """For people: a line about the step's checksums, and what `check_step` finds wrong with it."""
    try:
        checked = check_step(step, content=content)
    except CheckpointError as error:
        return (), (str(error),)
    if not checked:
        return ("no checksums are kept with it: its values are unchecked",), ()
    found = "all match" if content else "sizes match; verifying compares the content"
    return (f"checksums of its files are kept with it: {found}",), ()


def _recorded_whole(step: str) -> str:
    """The step whose record is about `step`: for one of its items, the directory above."""
    above = os.path.dirname(os.path.abspath(step))
    here, there = (os.path.lexists(os.path.join(path, FILE_NAME)) for path in (step, above))
    return above if there and not here else step


def _changed(step: str, recorded: dict[str, Checksum], content: bool) -> list[str]:
    sizes = {name: os.stat(os.path.join(step, name)).st_size for name in recorded}
    wrong = [f"{name}: has {sizes[name]} bytes, was written with {expected.size}"
             for name, expected in recorded.items() if sizes[name] != expected.size]
    if content and not wrong:
        found = _checksums(step, list(recorded), durable=False)
        wrong = [f"{name}: its content was changed (crc32c {now.crc32c:08x}, was written with "
                 f"{recorded[name].crc32c:08x})"
                 for name, now in zip(recorded, found, strict=True) if now != recorded[name]]
    return wrong


def _read(step: str) -> dict[str, Checksum] | None:
    path = os.path.join(step, FILE_NAME)
    try:
        record = json.loads(read_bytes(path))
        if record["version"] != _VERSION:
            raise DataLossError(f"{path}: version {record['version']!r}; this program knows "
                                f"{_VERSION}")
        return {name: Checksum(*map(int, found)) for name, found in record["files"].items()}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, DataLossError):
            raise
        raise DataLossError(f"{path}: is damaged, or is no record of checksums ({error})") from None


def _files(step: str) -> Iterator[str]:
    """The files below a step, relative to it, by `/`."""
    waiting = [("", 0)]
    while waiting:
        below, depth = waiting.pop()
        if depth > _DEEPEST:
            raise DataLossError(f"{os.path.join(step, below)}: too deep for an orbax step")
        with os.scandir(os.path.join(step, below)) as found:
            entries = list(found)
        for entry in entries:
            name = f"{below}{entry.name}"
            mode = entry.stat().st_mode
            if stat.S_ISDIR(mode):
                waiting.append((f"{name}/", depth + 1))
                continue
            with translated(f"cannot read {entry.path}"):
                require_file(entry.path, mode)
            yield name


def _checksums(
    step: str | os.PathLike[str], names: list[str], *, durable: bool
) -> list[Checksum]:
    def one(name: str) -> Checksum:
        return _checksum(os.path.join(step, name), durable)

    if len(names) < 2:
        return [one(name) for name in names]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(one, names))


def _checksum(path: str, durable: bool) -> Checksum:
    space, total, found = np.empty(_PIECE, np.uint8), 0, 0
    with open_file(path) as file:
        if durable:
            os.fsync(file.fileno())
        while filled := file.raw.readinto(space.data):
            found = crc.extend(found, space[:filled])
            total += filled
    return Checksum(total, found)
