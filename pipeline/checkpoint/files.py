"""Files that appear whole or not at all, and leftovers of writers that died.

A file is written under a temporary name beside its final one, synchronised and renamed. The
temporary file stays locked by its writer, so the next writer knows which ones nobody will finish.
Every system call that changes the disk is made here.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.checkpoint.errors import AbortedError, translated

_TEMPORARY = ".tempstate"  # TensorFlow's own word for it
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
_LOCK_SECONDS = 60.0


class Staging:
    """Temporary files beside `prefix`; what was not published is removed on leaving.

    `durable=False` does not synchronise: a killed process still loses nothing, a power cut may.
    """

    def __init__(self, prefix: str, *, durable: bool) -> None:
        self._durable = durable
        self._prefix = prefix
        self._suffix = f"{_TEMPORARY}{os.urandom(8).hex()}"
        self._open: dict[str, int] = {}

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *_: object) -> None:
        for path, descriptor in self._open.items():
            unlink(path)
            os.close(descriptor)
        self._open.clear()

    def create(self, final: str) -> int:
        """A descriptor to write the future content of `final` with."""
        path = final + self._suffix
        with translated(f"cannot write {final}"):
            while True:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
                if _lock(descriptor) is not False and os.path.exists(path):
                    self._open[path] = descriptor
                    return descriptor
                os.close(descriptor)  # `remove_abandoned` came before the lock, and took the file

    def write(self, final: str, content: bytes) -> None:
        """Stages the whole content of `final`."""
        with translated(f"cannot write {final}"):
            write_at(self.create(final), content, 0)

    def synchronise(self) -> None:
        """Waits until the staged bytes are on the disk."""
        with translated(f"cannot write {self._prefix}"):
            for descriptor in self._open.values():
                if self._durable:
                    os.fsync(descriptor)

    def link(self, final: str, other: str) -> None:
        """Gives the staged content of `final` the name `other` as well."""
        link(final + self._suffix, other)

    def publish(self, final: str) -> None:
        """Renames the staged file to its final name, replacing what was there."""
        path = final + self._suffix
        with translated(f"cannot replace {final}"):
            os.replace(path, final)
        os.close(self._open.pop(path))


def write_at(descriptor: int, data: Any, offset: int) -> None:
    """Writes all bytes of a buffer at `offset`."""
    view = memoryview(data)
    while view.nbytes:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def link(source: str, target: str) -> None:
    """A second name for a file, or a copy where the file system has no hard links."""
    with translated(f"cannot write {target}"):
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            import shutil

            shutil.copyfile(source, target)


def unlink(path: str) -> None:
    """Removes a file that may be gone already."""
    with translated(f"cannot remove {path}"):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return


def replace(final: str, content: bytes, *, durable: bool = True) -> None:
    """Gives a file new content at once: a reader sees the old or the new, never a part."""
    with Staging(final, durable=durable) as staging:
        staging.write(final, content)
        staging.synchronise()
        staging.publish(final)


def make_directory(path: str) -> None:
    """Makes a directory whose parent exists, unless it is there."""
    with translated(f"cannot make {path}"):
        if path and not os.path.isdir(path):
            os.mkdir(path)


def synchronise_directory(directory: str) -> None:
    """Waits until names that were changed in `directory` are on the disk."""
    with translated(f"cannot synchronise {directory}"):
        descriptor = os.open(directory or ".", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def locked(directory: str) -> Iterator[None]:
    """Keeps other savers out of `directory`; no file is left behind, not even by a killed process.

    Raises:
        AbortedError: another one stays in for a minute.
    """
    with translated(f"cannot open {directory}"):
        descriptor = os.open(directory or ".", os.O_RDONLY)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while _lock(descriptor) is False:
            if time.monotonic() > deadline:
                raise AbortedError(f"another process has been saving to {directory} for "
                                   f"{_LOCK_SECONDS:.0f} s; is it stopped?")
            time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Whether the lock was free and is ours now; None where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def remove_abandoned(directory: str) -> None:
    """Removes temporary files whose writer died before it could."""
    for path in glob.glob(os.path.join(glob.escape(directory), f"*{_TEMPORARY}*")):
        try:
            descriptor = os.open(path, os.O_WRONLY)
        except OSError:
            continue
        try:
            if _lock(descriptor):
                unlink(path)
        finally:
            os.close(descriptor)
