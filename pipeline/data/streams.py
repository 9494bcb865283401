"""The decompressed bytes of a file, never more of them than asked for.

However much a compressed file would unfold to, a chunk of it is unfolded at a time.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from pipeline.data.errors import DataError

_GZIP = b"\x1f\x8b"   # RFC 1952, 2.3.1
_CHUNK = 1 << 20
_ANY_GZIP = 31        # zlib's wbits: a gzip header, a window of up to 32 KiB
_AGAIN = "delete the file and fetch it again"


class ByteStream:
    """A plain file, read in order; `sha256` covers what has been read of it from disk.

    Attributes:
        at_most: how many bytes it can hold, whatever a header in it says.
    """

    expansion = 1    # the most bytes that one on the disk can stand for

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self.at_most = self.expansion * size
        self._file = file
        self._path = path
        self._digest = hashlib.sha256()
        self._disk_bytes = 0

    def read(self, size: int) -> bytearray:
        """The next `size` bytes, few enough to be made before they are there; see `fill`."""
        taken = bytearray(size)
        del taken[self.fill(memoryview(taken)):]
        return taken

    def fill(self, space: memoryview) -> int:
        """Puts the next bytes into `space`; returns how many, fewer than it has where they end.

        Raises:
            DataError: the compressed data are damaged or cut off.
        """
        filled = 0
        while filled < len(space):
            chunk = self._next(min(len(space) - filled, _CHUNK))
            if not chunk:
                break
            space[filled:filled + len(chunk)] = chunk
            filled += len(chunk)
        return filled

    def finish(self) -> None:
        """Check that nothing follows the data.

        Raises:
            DataError: something does.
        """

    def sha256(self) -> str:
        """Of the file as it lies on the disk; after `finish` it covers all of it."""
        return self._digest.hexdigest()

    def _next(self, limit: int) -> bytes:
        return self._from_disk(limit)

    def _from_disk(self, size: int = _CHUNK) -> bytes:
        chunk = self._file.read(size)
        self._digest.update(chunk)
        self._disk_bytes += len(chunk)
        return chunk


class GzipStream(ByteStream):
    """A gzip file of one member, its CRC and length checked when the end is reached."""

    expansion = 1032    # of DEFLATE (zlib's zlib_tech.html)

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        super().__init__(file, path, size)
        self._zlib = zlib.decompressobj(_ANY_GZIP)

    def _next(self, limit: int) -> bytes:
        while not self._zlib.eof:
            compressed = self._zlib.unconsumed_tail or self._from_disk()
            if not compressed:
                raise DataError(
                    f"{self._path}: the gzip stream ends early after {self._disk_bytes:,} bytes; "
                    f"the download was probably cut off: {_AGAIN}")
            try:
                chunk = self._zlib.decompress(compressed, limit)
            except zlib.error as error:
                raise DataError(
                    f"{self._path}: damaged gzip data ({error}); {_AGAIN}") from error
            if chunk:
                return chunk
        return b""

    def finish(self) -> None:
        """Check that nothing follows the gzip stream."""
        extra = len(self._zlib.unused_data)
        while chunk := self._from_disk():
            extra += len(chunk)
        if extra:
            raise DataError(
                f"{self._path}: {extra:,} unexpected bytes after the gzip stream; {_AGAIN}")


def open_stream(file: BinaryIO, path: Path) -> ByteStream:
    """The stream for what the file holds, whatever its name says."""
    start = file.read(len(_GZIP))
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return (GzipStream if start == _GZIP else ByteStream)(file, path, size)
