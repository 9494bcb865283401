"""The one place where a file that anybody may have made is opened.

Only ordinary files are: a FIFO would keep the reader waiting for ever, a device gives bytes without
end, and opening one may already act. What is read whole has to fit the budget of memory first.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader

from pipeline import budget

_KINDS = {
    stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


class NotAFileError(OSError):
    """A FIFO, socket or device; an `OSError`, so that it is told like any unreadable file."""


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """An ordinary file (or a link to one), open for reading bytes.

    Raises:
        NotAFileError: it is a FIFO, a socket or a device.
        OSError: it is a directory, is not there, or may not be read.
    """
    require_file(path, os.stat(path).st_mode)    # before opening: that alone can act on a device
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        require_file(path, os.fstat(descriptor).st_mode)    # it may have been exchanged meanwhile
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of an ordinary file.

    Raises:
        MemoryBudgetError: it is larger than the budget of memory.
        NotAFileError, OSError: as `open_file`.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        budget.current().require(size, os.fspath(path))
        return file.read(size)


def require_file(path: str | os.PathLike[str], mode: int) -> None:
    """Refuses what `mode`, of `os.stat`, says is a FIFO, a socket or a device.

    Raises:
        NotAFileError: it is one.
        IsADirectoryError: it is a directory.
    """
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "of an unknown kind")
        raise NotAFileError(errno.EINVAL, f"it is {kind}; only ordinary files are read",
                            os.fspath(path))
