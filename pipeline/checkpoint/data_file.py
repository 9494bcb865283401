"""Writing a data file: raw tensor bytes at planned offsets, checksummed while they pass.

A slice of a tensor is checksummed and written while it is still in the processor's cache, which
halves the time of checksumming whole tensors first (formats.md §3). Two threads overlap one's
checksum with the other's write; more do not help, since one file is written under one lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint import crc, files
from pipeline.checkpoint.errors import InvalidArgumentError
from pipeline.checkpoint.stored import Stored

_CHUNK_BYTES = 1 << 20
_WORTH_A_THREAD = 8 << 20  # bytes
_THREADS = 2


class Placed(NamedTuple):
    """A tensor and its offset in the data file."""

    offset: int
    tensor: Stored


def write_data(descriptor: int, placed: Sequence[Placed]) -> list[int]:
    """Writes the tensors, in rising order of offset; returns their masked checksums."""
    batches = list(_batches(placed))
    if sum(item.tensor.size for item in placed) < _WORTH_A_THREAD:
        return [found for batch in batches for found in _write_batch(descriptor, batch)]
    from concurrent.futures import ThreadPoolExecutor  # small checkpoints need not wait for it

    with ThreadPoolExecutor(_THREADS) as threads:
        written = threads.map(lambda batch: _write_batch(descriptor, batch), batches)
        return [found for batch in written for found in batch]


def _batches(placed: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Neighbours that together fill at most a chunk, to be written in one call."""
    batch: list[Placed] = []
    for item in placed:
        if batch and item.offset + item.tensor.size - batch[0].offset > _CHUNK_BYTES:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _write_batch(descriptor: int, batch: list[Placed]) -> list[int]:
    if len(batch) == 1:
        return [_write_tensor(descriptor, batch[0])]
    start, checksums = batch[0].offset, []
    joined = np.zeros(batch[-1].offset + batch[-1].tensor.size - start, np.uint8)
    for offset, tensor in batch:
        data = _load(tensor)
        joined[offset - start : offset - start + tensor.size] = data
        checksums.append(crc.masked_crc(data) if tensor.crc is None else tensor.crc)
    files.write_at(descriptor, joined, start)
    return checksums


def _write_tensor(descriptor: int, placed: Placed) -> int:
    data = _load(placed.tensor)
    checksum = 0
    for start in range(0, placed.tensor.size, _CHUNK_BYTES):
        chunk: NDArray[np.uint8] = data[start : start + _CHUNK_BYTES]
        checksum = crc.extend(checksum, chunk)
        files.write_at(descriptor, chunk, placed.offset + start)
    return crc.mask(checksum) if placed.tensor.crc is None else placed.tensor.crc


def _load(tensor: Stored) -> NDArray[np.uint8]:
    data = tensor.load()
    if data.size != tensor.size:
        raise InvalidArgumentError(f"a tensor changed from {tensor.size} to {data.size} bytes "
                                   "while it was being saved")
    return data
