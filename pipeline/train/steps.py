"""A directory of orbax steps: which there are, and how a new one appears, whole and checkable.

Orbax saves into a directory beside the steps; there the checksums are added (`checkpoint.
step_record`), and all of it takes the step's name at once. A kill leaves a directory that is no
step and that the next save removes.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orbax.checkpoint as ocp

from pipeline.checkpoint.step_record import write_checksums
from pipeline.files import sync_directory
from pipeline.logs import critical_only
from pipeline.train.errors import SnapshotWriteError, TrainError

_STAGED = ".saving-"
# Orbax takes a path for a pattern, and TensorStore takes UTF-8 alone.
_PLAIN = re.compile(r"[\w ./,:;=+@%~#(){}$&'!^-]*")
_FILES = 40    # more than a step has files and directories
_EXPECTED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO)
_DESCRIPTORS = Path("/proc/self/fd")


def all_steps(directory: Path) -> list[int]:
    """The steps in a directory, the oldest first; they appear whole, or were damaged later."""
    if not directory.is_dir():
        return []
    return sorted(int(entry.name) for entry in directory.iterdir()
                  if re.fullmatch(r"0|[1-9][0-9]*", entry.name) and entry.is_dir())


def publish_step(directory: Path, step: int, items: ocp.args.Composite, size: int) -> None:
    """Writes one step of `size` bytes, complete and with its checksums, or not at all.

    Raises:
        SnapshotWriteError: the disk is full, or may not be written.
    """
    staged = directory / f"{_STAGED}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        remove_staged(directory)
        staged.mkdir(parents=True)
        _make_room(staged, size)
        with critical_only("absl"), plainly_named(staged) as plain, \
                ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
            checkpointer.save(plain / str(step), args=items)
        write_checksums(staged / str(step))
        os.rename(staged / str(step), directory / str(step))
        sync_directory(directory)
    except TrainError:
        raise
    except Exception as error:    # orbax has no error of its own; TensorStore's are ValueErrors
        raise SnapshotWriteError(
            f"{directory / str(step)}: cannot be saved ({_brief(error)}); make room, or see to its "
            "directory, then go on from the step before it with restore=auto"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _make_room(directory: Path, size: int) -> None:
    """Raises an `OSError` where there is no room, before orbax's threads meet that one by one."""
    for number in range(_FILES):
        (directory / f"room-{number}").touch()
    with (directory / "room-0").open("wb") as file:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    for number in range(_FILES):
        (directory / f"room-{number}").unlink()


def remove_steps(directory: Path, keep: int) -> None:
    """Removes all but the last `keep` steps."""
    for step in all_steps(directory)[:-keep]:
        # Renamed first: half a step must not be taken for one.
        leaving = directory / f"{_STAGED}{step}-{secrets.token_hex(4)}"
        os.rename(directory / str(step), leaving)
        shutil.rmtree(leaving, ignore_errors=True)


def remove_staged(directory: Path) -> None:
    """Removes what killed saves have left."""
    if directory.is_dir():
        for entry in directory.iterdir():
            if entry.name.startswith(_STAGED):
                shutil.rmtree(entry, ignore_errors=True)


@contextmanager
def plainly_named(directory: Path) -> Iterator[Path]:
    """A path to `directory` that orbax can read and write by: its own, or through a descriptor.

    Raises:
        TrainError: its name has brackets, a backslash or other than UTF-8, and this system has no
            `/proc` to name it otherwise.
    """
    directory = directory.absolute()
    if is_plain(directory):
        yield directory
        return
    require_saveable(directory)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _DESCRIPTORS / str(descriptor)
    finally:
        os.close(descriptor)


def is_plain(directory: Path) -> bool:
    """Whether orbax can use the path as it is."""
    return _PLAIN.fullmatch(os.fsencode(directory).decode("utf-8", "backslashreplace")) is not None


def require_saveable(directory: Path) -> None:
    """Refuses, before a training, a directory whose steps would be lost.

    Raises:
        TrainError: orbax cannot write to a path of that name on this system.
    """
    if not is_plain(directory.absolute()) and not _DESCRIPTORS.is_dir():
        raise TrainError(
            f"{directory.absolute()}: orbax cannot save to a path with brackets, backslashes or "
            "characters that are not UTF-8 on a system without /proc; choose another hydra.run.dir")


def _brief(error: Exception) -> str:
    """The system's own words for what went wrong, which TensorStore puts amid long ones."""
    text = str(error)
    known = (os.strerror(number) for number in _EXPECTED)
    return next((words for words in known if words in text), text.partition(" [")[0][:300])
