"""A table: the sorted string map that an `.index` file is.

    table   = (block trailer)… | metaindex block trailer | index block trailer | footer
    trailer = compression type, 1 byte | fixed32 masked crc32c of block and type
    footer  = handle of metaindex | handle of index | zeros up to 40 bytes | fixed64 magic
    handle  = varint offset | varint size without the trailer

The index block has one entry per data block: a key not below the block's last and below the next
block's first, and the block's handle. Layout: LevelDB's doc/table_format.md and formats.md §2.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline import budget
from pipeline.checkpoint import crc, snappy
from pipeline.checkpoint.block import BlockBuilder, decode_block
from pipeline.checkpoint.coding import decode_fixed32, decode_varint, encode_fixed32, encode_varint
from pipeline.checkpoint.errors import DataLossError, located

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")  # leveldb/table/format.h
FOOTER_BYTES = 48
_TRAILER_BYTES = 5
_UNCOMPRESSED, _SNAPPY = 0, 1
_ENTRY_BYTES = 600  # that an entry takes as objects, besides its key and value
_BLOCK_BYTES = 262_144  # tensorflow/core/lib/io/table_options.h; a block is closed once it is full
_DATA_RESTARTS, _INDEX_RESTARTS = 16, 1


def encode_table(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A table of (key, value) entries that come in rising key order, never compressed."""
    out, index, block = bytearray(), BlockBuilder(_INDEX_RESTARTS), BlockBuilder(_DATA_RESTARTS)
    full: tuple[bytes, bytes] | None = None  # last key and handle of a block whose successor waits
    for key, value in entries:
        if full is not None:
            index.add(shortest_separator(full[0], key), full[1])
            full = None
        block.add(key, value)
        if block.size >= _BLOCK_BYTES:
            full = block.last_key, _append_block(out, block)
            block = BlockBuilder(_DATA_RESTARTS)
    if not block.empty:
        full = block.last_key, _append_block(out, block)
    metaindex = _append_block(out, BlockBuilder(_DATA_RESTARTS))
    if full is not None:
        index.add(short_successor(full[0]), full[1])
    handles = metaindex + _append_block(out, index)
    return bytes(out) + handles.ljust(FOOTER_BYTES - len(MAGIC), b"\0") + MAGIC


def _append_block(out: bytearray, block: BlockBuilder) -> bytes:
    """Appends a block and its trailer; returns its handle."""
    typed = block.finish() + bytes((_UNCOMPRESSED,))
    handle = encode_varint(len(out)) + encode_varint(len(typed) - 1)
    out += typed + encode_fixed32(crc.masked_crc(typed))
    return handle


def shortest_separator(key: bytes, following: bytes) -> bytes:
    """The shortest key `k` with `key <= k < following` that LevelDB's bytewise order finds."""
    for index, (low, high) in enumerate(zip(key, following, strict=False)):
        if low != high:
            if low + 1 < high:
                return key[:index] + bytes((low + 1,))
            break
    return key


def short_successor(key: bytes) -> bytes:
    """A short key not below `key`."""
    for index, byte in enumerate(key):
        if byte != 0xFF:
            return key[:index] + bytes((byte + 1,))
    return key


def decode_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a table, in rising key order; every block's checksum is verified.

    Raises:
        DataLossError: the bytes are no whole table.
    """
    if len(data) < FOOTER_BYTES or data[-len(MAGIC) :] != MAGIC:
        raise DataLossError(f"{len(data)} bytes without a table's footer at the end")
    footer = len(data) - FOOTER_BYTES
    metaindex, position = _decode_handle(data, footer, len(data))
    handle, _ = _decode_handle(data, position, len(data))
    _read_block(data, metaindex)
    last, end = None, 0
    with budget.account() as account:
        for _, value in _read_block(data, handle):
            (offset, size), _ = _decode_handle(value, 0, len(value))
            if offset < end:
                raise DataLossError(f"block at byte {offset} overlaps the one before it")
            end = offset + size
            entries = _read_block(data, (offset, size))
            account.spend(sum(_ENTRY_BYTES + len(key) + len(found) for key, found in entries),
                          f"entries up to byte {end}")
            for key, found in entries:
                if last is not None and key <= last:
                    raise DataLossError(f"key {key!r} does not follow {last!r}")
                last = key
                yield key, found


def _decode_handle(data: bytes, position: int, limit: int) -> tuple[tuple[int, int], int]:
    offset, position = decode_varint(data, position, limit)
    size, position = decode_varint(data, position, limit)
    return (offset, size), position


def _read_block(data: bytes, handle: tuple[int, int]) -> list[tuple[bytes, bytes]]:
    offset, size = handle
    with located(f"block at byte {offset}"):
        if offset + size + _TRAILER_BYTES > len(data) - FOOTER_BYTES:
            raise DataLossError(f"{size} bytes point outside the file's {len(data)}")
        end = offset + size
        stored, found = decode_fixed32(data, end + 1), crc.masked_crc(data[offset : end + 1])
        if stored != found:
            raise DataLossError(f"checksum does not match: stored {stored}, calculated {found}")
        if data[end] == _UNCOMPRESSED:
            return decode_block(data[offset:end])
        if data[end] == _SNAPPY:
            return decode_block(snappy.decode(data[offset:end]))
        raise DataLossError(f"unknown compression type {data[end]}; expected 0 or 1 (snappy)")
