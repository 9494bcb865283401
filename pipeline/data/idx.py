"""One IDX file, strictly read; gzipped or not.

# file: 0x0000 | type 0x08 (uint8) | rank | rank x uint32 big-endian | values, last axis fastest
# images: rank 3, [n, 28, 28];  labels: rank 1, [n];  coloured images: rank 4, channels last

Source of the layout: "THE IDX FILE FORMAT" at the end of http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import budget
from pipeline.data.dataset import UInt8
from pipeline.data.errors import DataError
from pipeline.data.streams import ByteStream, open_stream
from pipeline.reading import open_file

_SIDES = [28, 28]
_DIGITS = 10
_LARGEST = 1 << 31   # bytes of values; 45 times MNIST's training images
_AGAIN = "delete the file and fetch it again"


@dataclass(frozen=True)
class Kind:
    """What a file is expected to be."""

    noun: str
    magic: int
    rank: int


IMAGES = Kind("images", 0x00000803, 3)
LABELS = Kind("labels", 0x00000801, 1)
COLOURED = Kind("images", 0x00000804, 4)
_SEEN_AS = {IMAGES.magic: "an image file (idx3)", LABELS.magic: "a label file (idx1)"}


@dataclass(frozen=True)
class IdxFile:
    """The values of a file, with what identifies it."""

    path: Path
    values: UInt8
    sha256: str


def read_images(path: Path) -> IdxFile:
    """Images of 28x28: `values` is uint8 [n, 28, 28], n at least 1.

    Raises:
        DataError: the file cannot be read or is not exactly that.
        MemoryBudgetError: its header announces more than the budget of memory.
    """
    return _read(path, IMAGES)


def read_labels(path: Path) -> IdxFile:
    """Labels: `values` is uint8 [n], each 0 to 9, n at least 1.

    Raises:
        DataError: the file cannot be read or is not exactly that.
    """
    read = _read(path, LABELS)
    wrong = np.flatnonzero(read.values >= _DIGITS)
    if len(wrong):
        raise DataError(
            f"{path}: label {read.values[wrong[0]]} at index {wrong[0]:,} is not a digit 0-9 "
            f"({len(wrong):,} such labels); {_AGAIN}")
    return read


def read_any_images(path: Path) -> IdxFile:
    """Images of any size: `values` is uint8 [n, height, width] or [n, height, width, channels].

    Raises:
        DataError: the file cannot be read or is not exactly that.
        MemoryBudgetError: its header announces more than the budget of memory.
    """
    return _read(path, IMAGES, COLOURED, sides=None)


def read_any_labels(path: Path) -> IdxFile:
    """Labels of up to 256 classes: `values` is uint8 [n].

    Raises:
        DataError: the file cannot be read or is not exactly that.
    """
    return _read(path, LABELS)


def payload_sha256(values: UInt8) -> str:
    """sha256 in hex of the uncompressed IDX file that holds these images or labels."""
    kind = IMAGES if values.ndim == IMAGES.rank else LABELS
    digest = hashlib.sha256(struct.pack(f">I{kind.rank}I", kind.magic, *values.shape))
    digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _read(path: Path, kind: Kind, other: Kind | None = None, *,
          sides: list[int] | None = _SIDES) -> IdxFile:
    try:
        with open_file(path) as file:
            return _parse(open_stream(file, path), path, kind, other or kind, sides)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected an IDX file of "
                        f"{kind.noun}") from error


def _parse(
    stream: ByteStream, path: Path, kind: Kind, other: Kind, sides: list[int] | None
) -> IdxFile:
    header = stream.read(4)
    if int.from_bytes(header, "big") == other.magic:
        kind = other
    if len(header) < 4 or int.from_bytes(header, "big") != kind.magic:
        raise DataError(f"{path}: {_found(bytes(header + stream.read(28)), kind)}")
    header += stream.read(4 * kind.rank)
    if len(header) < 4 + 4 * kind.rank:
        raise DataError(f"{path}: the file ends within its header, after {len(header)} bytes; "
                        f"{_AGAIN}")
    shape = struct.unpack(f">{kind.rank}I", header[4:])
    _check_shape(path, kind, shape, sides)
    announced = math.prod(shape)
    budget.current().require(announced, f"{path}: {shape[0]:,} {kind.noun}")
    values = np.empty(min(announced, stream.at_most), np.uint8)
    filled = stream.fill(values.data)
    if filled < announced:
        raise DataError(
            f"{path}: the header announces {shape[0]:,} {kind.noun} "
            f"({len(header) + announced:,} bytes) but {len(header) + filled:,} bytes are "
            f"there; {_AGAIN}")
    if stream.read(1):
        raise DataError(f"{path}: the file holds more data than its header announces "
                        f"({shape[0]:,} {kind.noun}); {_AGAIN}")
    stream.finish()
    return IdxFile(path, values.reshape(shape), stream.sha256())


def _check_shape(
    path: Path, kind: Kind, shape: tuple[int, ...], expected: list[int] | None
) -> None:
    count, *sides = shape
    if sides and expected is not None and sides != expected:
        raise DataError(f"{path}: images are {sides[0]}x{sides[1]} pixels; 28x28 is needed: scale "
                        "them first, or say dataset=idx for data that are not MNIST's")
    if 0 in sides:
        raise DataError(f"{path}: the header announces images of {sides} pixels; {_AGAIN}")
    if count == 0:
        raise DataError(f"{path}: the header announces 0 {kind.noun}; at least one is needed: "
                        f"{_AGAIN}")
    if math.prod(shape) > _LARGEST:
        raise DataError(f"{path}: the header announces {count:,} {kind.noun} ({math.prod(shape):,} "
                        f"bytes); more than {_LARGEST:,} bytes are not loaded: {_AGAIN}")


def _found(start: bytes, kind: Kind) -> str:
    """What a file with another magic number seems to be, and what to do about it."""
    if not start:
        return f"the file is empty; {_AGAIN}"
    expected = f"expected {kind.noun} (IDX magic 0x{kind.magic:08x}) but found"
    magic = int.from_bytes(start[:4], "big")
    if len(start) >= 4 and magic in _SEEN_AS:
        return f"{expected} {_SEEN_AS[magic]}; was the file renamed?"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start):
        return f"{expected} an HTML/text file; a server's error page was probably saved: {_AGAIN}"
    return f"{expected} an unknown format (magic 0x{start[:4].hex()}); {_AGAIN}"
