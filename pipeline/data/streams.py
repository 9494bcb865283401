"""The decompressed bytes of a file, never more of them than asked for.

A header's or a compressor's claim allocates nothing: memory grows with the bytes that are there.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import BinaryIO

from pipeline.data.errors import DataError

_GZIP = b"\x1f\x8b"   # RFC 1952, 2.3.1
_CHUNK = 1 << 20
_ANY_GZIP = 31        # zlib's wbits: a gzip header, a window of up to 32 KiB
_AGAIN = "delete the file and fetch it again"


class ByteStream:
    """A plain file, read in order; `sha256` covers what has been read of it from disk."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._digest = hashlib.sha256()
        self._disk_bytes = 0

    def read(self, size: int) -> bytearray:
        """The next `size` bytes, or fewer where the data end.

        Raises:
            DataError: the compressed data are damaged or cut off.
        """
        taken = bytearray()
        while len(taken) < size:
            chunk = self._next(size - len(taken))
            if not chunk:
                break
            taken += chunk
        return taken

    def finish(self) -> None:
        """Check that nothing follows the data.

        Raises:
            DataError: something does.
        """

    def sha256(self) -> str:
        """Of the file as it lies on the disk; after `finish` it covers all of it."""
        return self._digest.hexdigest()

    def _next(self, limit: int) -> bytes:
        return self._from_disk(min(limit, _CHUNK))

    def _from_disk(self, size: int = _CHUNK) -> bytes:
        chunk = self._file.read(size)
        self._digest.update(chunk)
        self._disk_bytes += len(chunk)
        return chunk


class GzipStream(ByteStream):
    """A gzip file of one member, its CRC and length checked when the end is reached."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file, path)
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
    file.seek(0)
    return GzipStream(file, path) if start == _GZIP else ByteStream(file, path)
