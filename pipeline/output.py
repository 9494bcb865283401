"""Standard output and standard error whose readers may leave, as `head` does.

A reader that leaves changes nothing: what it would have been told is dropped, and the process ends
as it would have. A disk that is full stops nothing either, but is told at the end. Python's own
streams raise instead, in the middle of whatever was being told of, or after the end, where nobody
can catch it.
"""

from __future__ import annotations

import io
import sys
from typing import Any, TextIO


class _Unread(io.FileIO):
    """A descriptor that swallows what is written once its reader is gone, or its disk is full."""

    lost: OSError | None = None    # why something that should have been kept was not

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes
        except OSError as error:
            self.lost = error
            return memoryview(data).nbytes


def tell_lost() -> bool:
    """Says so on standard error when standard output could not be written (a full disk)."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(raw, _Unread) or raw.lost is None:
        return False
    print(f"error: standard output cannot be written: {raw.lost.strerror}", file=sys.stderr)
    return True


def outlive_readers() -> None:
    """Makes this process's standard streams outlive their readers; any replaced one stays."""
    if sys.stdout is sys.__stdout__:
        sys.stdout = _outliving(sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _outliving(sys.stderr)


def _outliving(stream: TextIO | None) -> Any:
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return stream
    raw = _Unread(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors=stream.errors,
        line_buffering=stream.line_buffering, write_through=stream.write_through)
