"""The `.index` file of a bundle in memory: the header and every entry, none of the data."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipeline.checkpoint import ordered_code
from pipeline.checkpoint.entry import HEADER_KEY, Entry, Header
from pipeline.checkpoint.errors import (
    DataLossError,
    NotFoundError,
    UnimplementedError,
    located,
    translated,
)
from pipeline.checkpoint.names import decode_name, index_path
from pipeline.checkpoint.table import MAGIC, decode_table
from pipeline.reading import open_file, read_bytes


@dataclass(frozen=True)
class Index:
    """Entries of whole tensors by name, sorted as stored, and of slices by table key."""

    header: Header
    tensors: dict[str, Entry]
    slices: dict[bytes, Entry]


def read_index(prefix: str) -> Index:
    """Reads `prefix.index`; every block's checksum is verified.

    Raises:
        NotFoundError: there is no such checkpoint.
        UnimplementedError: it is a V1 checkpoint, or for a newer reader.
        DataLossError: the file is damaged.
    """
    path = index_path(prefix)
    with translated(f"cannot read {path}"):
        try:
            data = read_bytes(path)
        except FileNotFoundError:
            raise _absent(prefix) from None
    with located(path):
        return decode_index(data)


def index_identity(prefix: str) -> tuple[int, int] | None:
    """What tells one `prefix.index` from another that took its place; None where there is none."""
    try:
        found = os.stat(index_path(prefix))
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def decode_index(data: bytes) -> Index:
    """The content of an `.index` file.

    Raises:
        DataLossError: the bytes are damaged, or no bundle's index.
        UnimplementedError: the bundle is for a newer reader.
    """
    tensors: dict[str, Entry] = {}
    slices: dict[bytes, Entry] = {}
    entries = decode_table(data)
    key, value = next(entries, (None, b""))
    if key != HEADER_KEY:
        raise DataLossError("table has no bundle header under its first key")
    header = Header.decode(value)
    for key, value in entries:
        if key.startswith(ordered_code.PREFIX):
            slices[key] = Entry.decode(value)
        else:
            tensors[decode_name(key)] = Entry.decode(value)
    return Index(header, tensors, slices)


def _absent(prefix: str) -> Exception:
    """Why nothing could be opened under `prefix`."""
    for suffix in (".index", ".meta"):
        if prefix.endswith(suffix) and os.path.exists(prefix):
            return NotFoundError(f"{prefix} is one file of a checkpoint; pass its prefix "
                                 f"{prefix.removesuffix(suffix)!r}")
    if ".data-" in os.path.basename(prefix) and os.path.exists(prefix):
        return NotFoundError(f"{prefix} is one data file of a checkpoint; pass its prefix "
                             f"{prefix.rpartition('.data-')[0]!r}")
    if os.path.isfile(prefix) and _ends_as_table(prefix):
        return UnimplementedError(
            f"{prefix} is a V1 checkpoint (one file, before TensorFlow 0.12), which is not "
            "supported; convert it once with TensorFlow: restore it, save it with a V2 Saver"
        )
    if os.path.isdir(prefix):
        return NotFoundError(f"{prefix} is a directory; pass a checkpoint's prefix, for instance "
                             f"latest_checkpoint({prefix!r})")
    return NotFoundError("Unsuccessful TensorSliceReader constructor: Failed to find any matching "
                         f"files for {prefix}")


def _ends_as_table(path: str) -> bool:
    with translated(f"cannot read {path}"), open_file(path) as file:
        file.seek(max(0, os.path.getsize(path) - len(MAGIC)))
        return file.read() == MAGIC
