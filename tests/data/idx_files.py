"""IDX files and whole data sets made up for the tests of this room."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.catalogue import FILE_NAMES, MNIST, Published, Source
from pipeline.data.dataset import Arrays

SHARED = Path(__file__).resolve().parents[3] / "shared" / "mnist"
TRAIN, TEST = 60, 20


def idx(values: np.ndarray, magic: int | None = None) -> bytes:
    """The values as an uncompressed IDX file."""
    header = struct.pack(">I", magic if magic is not None else 0x800 + values.ndim)
    return header + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def zipped(payload: bytes) -> bytes:
    return gzip.compress(payload, mtime=0)


def arrays(seed: int = 0) -> Arrays:
    """A data set of 60 and 20 examples, every image different."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (TRAIN + TEST, 28, 28), np.uint8)
    labels = random.integers(0, 10, TRAIN + TEST, np.uint8)
    return Arrays(images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:])


def write(directory: Path, made: Arrays) -> Path:
    """The four gzipped files under their published names."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, values in zip(FILE_NAMES.values(), made, strict=True):
        (directory / name).write_bytes(zipped(idx(values)))
    return directory


def publish(directory: Path, url: str, name: str = "mnist") -> Source:
    """What the catalogue would say if the files in `directory` were published at `url`."""
    files = {}
    for part, file in FILE_NAMES.items():
        content = (directory / file).read_bytes()
        files[part] = Published(len(content), hashlib.sha256(content).hexdigest(),
                                hashlib.sha256(gzip.decompress(content)).hexdigest())
    return dataclasses.replace(MNIST, name=name, url=url, files=files)


def real_mnist() -> Path:
    """The directory of the four published files; tests that need them are skipped without."""
    if not SHARED.is_dir():
        pytest.skip("the published MNIST files are not beside this checkout")
    return SHARED
