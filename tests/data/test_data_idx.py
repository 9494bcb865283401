"""One IDX file: what is read, and every bad input with what is said about it."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from idx_files import idx, real_mnist, zipped

from pipeline.data import DataError
from pipeline.data.idx import payload_sha256, read_images, read_labels

CASES = int(os.environ.get("JAXFROST_CASES", "2000"))   # damaged files tried
RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (20, 28, 28), np.uint8)
LABELS = RANDOM.integers(0, 10, 20, np.uint8)
IMAGES, TAGS = idx(PICTURES), idx(LABELS)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1:]


def with_label(label: int) -> bytes:
    labels = LABELS.copy()
    labels[17] = label
    return idx(labels)


class Bad(NamedTuple):
    """An input, which reader gets it, and words its refusal must contain besides the path."""

    name: str
    content: bytes
    reader: Callable[[Path], object]
    found: str
    advice: str = "fetch it again"


BAD = [
    Bad("truncated gzip", zipped(IMAGES)[:5000], read_images,
        "gzip stream ends early after 5,000 bytes"),
    Bad("gzip without its trailer", zipped(IMAGES)[:-8], read_images, "gzip stream ends early"),
    Bad("gzip header alone", zipped(IMAGES)[:2], read_images, "gzip stream ends early"),
    Bad("flipped bit", flipped(zipped(TAGS), 30), read_labels, "damaged gzip data"),
    Bad("bad CRC", flipped(zipped(IMAGES), -8), read_images,
        "damaged gzip data .*incorrect data check"),
    Bad("bad length", flipped(zipped(IMAGES), -4), read_images,
        "damaged gzip data .*incorrect length check"),
    Bad("empty file", b"", read_images, "the file is empty"),
    Bad("empty gzip", zipped(b""), read_images, "the file is empty"),
    Bad("HTML page", b"<!DOCTYPE html><html>404 Not Found</html>", read_images,
        r"expected images \(IDX magic 0x00000803\) but found an HTML/text file"),
    Bad("gzipped HTML page", zipped(b"<html></html>"), read_labels,
        r"expected labels \(IDX magic 0x00000801\) but found an HTML/text file"),
    Bad("labels as images", zipped(TAGS), read_images, r"but found a label file \(idx1\)",
        "renamed"),
    Bad("images as labels", zipped(IMAGES), read_labels, r"but found an image file \(idx3\)",
        "renamed"),
    Bad("payload shorter", zipped(IMAGES[:-784]), read_images,
        r"announces 20 images \(15,696 bytes\) but 14,912 bytes are there"),
    Bad("payload longer", zipped(IMAGES + bytes(784)), read_images,
        "holds more data than its header announces"),
    Bad("plain, shorter", IMAGES[:-1], read_images, "but 15,695 bytes are there"),
    Bad("plain, longer", TAGS + b"\0", read_labels, "holds more data than its header announces"),
    Bad("32x32", zipped(idx(np.zeros((5, 32, 32), np.uint8))), read_images,
        "images are 32x32 pixels; 28x28 is needed", "scale them"),
    Bad("label 200", zipped(with_label(200)), read_labels,
        r"label 200 at index 17 is not a digit 0-9 \(1 such labels\)"),
    Bad("label 10", zipped(with_label(10)), read_labels, "label 10 at index 17"),
    Bad("2^31-1 images", zipped(struct.pack(">4I", 0x803, 2**31 - 1, 28, 28) + bytes(99)),
        read_images, r"announces 2,147,483,647 images \(1,683,627,179,248 bytes\)"),
    Bad("2^31-1 labels", zipped(struct.pack(">2I", 0x801, 2**31 - 1) + bytes(99)), read_labels,
        r"announces 2,147,483,647 labels \(2,147,483,655 bytes\) but 107 bytes are there"),
    Bad("no images", zipped(idx(np.zeros((0, 28, 28), np.uint8))), read_images,
        "header announces 0 images"),
    Bad("no labels", idx(np.zeros(0, np.uint8)), read_labels, "header announces 0 labels"),
    Bad("little-endian magic", zipped(idx(PICTURES, magic=0x03080000)), read_images,
        r"unknown format \(magic 0x03080000\)"),
    Bad("other element type", zipped(idx(PICTURES, magic=0x00000D03)), read_images,
        r"unknown format \(magic 0x00000d03\)"),
    Bad("trailing garbage", zipped(IMAGES) + b"garbage", read_images,
        "7 unexpected bytes after the gzip stream"),
    Bad("header cut short", IMAGES[:10], read_images, "ends within its header, after 10 bytes"),
    Bad("magic cut short", b"\0\0\x08", read_images, r"unknown format \(magic 0x000008\)"),
]


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_bad_input(bad: Bad, tmp_path: Path) -> None:
    path = tmp_path / "some-idx-ubyte.gz"
    path.write_bytes(bad.content)
    with pytest.raises(DataError, match=bad.found) as caught:
        bad.reader(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert bad.advice in text
    assert "\n" not in text


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent: cannot be read \(No such file or directory\)"):
        read_images(tmp_path / "absent")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\); expected an IDX file"):
        read_labels(tmp_path)


@pytest.mark.parametrize("pack", [bytes, zipped, lambda data: gzip.compress(data, 1)])
def test_good_input_in_any_packing(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """What the file holds decides, not what its name says."""
    path = tmp_path / "t10k-images.idx3-ubyte"
    path.write_bytes(pack(IMAGES))
    read = read_images(path)
    assert (read.values == PICTURES).all()
    assert payload_sha256(read.values) == payload_sha256(PICTURES)
    path.write_bytes(pack(TAGS))
    assert read_labels(path).values.tolist() == LABELS.tolist()


@pytest.mark.parametrize("header", [
    struct.pack(">4I", 0x803, 10, 28, 28),            # ten images, then a gigabyte of zeros
    struct.pack(">4I", 0x803, 2_000_000, 28, 28),     # 1.5 GB announced, 7,840 bytes there
], ids=["bomb", "boast"])
def test_memory_follows_the_header_and_the_data_whichever_is_less(
        header: bytes, tmp_path: Path) -> None:
    filler = 1 << 27 if b"\x0a" in header else 7840
    path = tmp_path / "images.gz"
    path.write_bytes(zipped(header + bytes(filler)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_images(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_damaged_files_are_refused_or_read_right(tmp_path: Path) -> None:
    """Bits flipped, ends cut, bytes put in: a DataError, or the very values."""
    random = np.random.default_rng(1)
    path = tmp_path / "labels"
    originals = [zipped(TAGS), TAGS, zipped(IMAGES[:4])]
    for case in range(CASES):
        content = bytearray(originals[case % len(originals)])
        for _ in range(random.integers(1, 4)):
            place = int(random.integers(0, len(content)))
            match random.integers(0, 3):
                case 0:
                    content[place] ^= 1 << int(random.integers(0, 8))
                case 1:
                    del content[place + 1:]
                case 2:
                    content[place:place] = random.bytes(int(random.integers(1, 9)))
        path.write_bytes(content)
        try:
            values = read_labels(path).values
        except DataError:
            continue
        # A plain file carries no checksum: only its frame can be held to account.
        assert content[:2] != b"\x1f\x8b" or values.tolist() == LABELS.tolist()
        assert values.max() <= 9


def test_the_published_files() -> None:
    directory = real_mnist()
    read = read_images(directory / "train-images-idx3-ubyte.gz")
    assert read.values.shape == (60000, 28, 28)
    assert payload_sha256(read.values) == (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db")
    labels = read_labels(directory / "train-labels-idx1-ubyte.gz").values
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
