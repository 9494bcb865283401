"""A block of a table: sorted keys, each stored as its difference from the one before.

    block = entry… | uint32le restart_offset[n] | uint32le n
    entry = varint32 shared | varint32 unshared | varint32 value_length | key_delta | value

`shared` is 0 at a restart point. A block without entries has one restart, at 0.
"""

from __future__ import annotations

from pipeline import budget
from pipeline.checkpoint.coding import decode_fixed32, decode_varint, encode_fixed32, encode_varint
from pipeline.checkpoint.errors import DataLossError

_KEY_EXPANSION = 64  # the most bytes of keys per byte of block; a written block stays below 17


class BlockBuilder:
    """Collects entries in key order; `finish` gives the block's bytes."""

    def __init__(self, restart_interval: int) -> None:
        self._interval = restart_interval
        self._buffer = bytearray()
        self._restarts = [0]
        self._since_restart = 0
        self.last_key = b""

    @property
    def empty(self) -> bool:
        """Nothing was added yet."""
        return not self._buffer

    @property
    def size(self) -> int:
        """Bytes that `finish` would give."""
        return len(self._buffer) + 4 * len(self._restarts) + 4

    def add(self, key: bytes, value: bytes) -> None:
        """Appends an entry; keys come in rising order."""
        shared = 0
        if self._since_restart < self._interval:
            shared = _shared_prefix(self.last_key, key)
        else:
            self._restarts.append(len(self._buffer))
            self._since_restart = 0
        self._buffer += encode_varint(shared)
        self._buffer += encode_varint(len(key) - shared)
        self._buffer += encode_varint(len(value))
        self._buffer += key[shared:]
        self._buffer += value
        self._since_restart += 1
        self.last_key = key

    def finish(self) -> bytes:
        """The block, without the table's trailer."""
        restarts = b"".join(map(encode_fixed32, self._restarts))
        return bytes(self._buffer) + restarts + encode_fixed32(len(self._restarts))


def _shared_prefix(first: bytes, second: bytes) -> int:
    """How many leading bytes are equal."""
    length = min(len(first), len(second))
    differing = int.from_bytes(first[:length], "big") ^ int.from_bytes(second[:length], "big")
    return length - (differing.bit_length() + 7) // 8


def decode_block(block: bytes) -> list[tuple[bytes, bytes]]:
    """The entries of a block, in order.

    Raises:
        DataLossError: a length points outside the block, or keys do not rise.
    """
    limit = _entries_end(block)
    entries: list[tuple[bytes, bytes]] = []
    position, key = 0, b""
    allowed = min(_KEY_EXPANSION * len(block), budget.current().limit)
    while position < limit:
        start = position
        shared, position = decode_varint(block, position, limit)
        unshared, position = decode_varint(block, position, limit)
        length, position = decode_varint(block, position, limit)
        end = position + unshared + length
        if shared > len(key) or end > limit:
            raise DataLossError(f"block entry at byte {start} points outside the block")
        found = key[:shared] + block[position : position + unshared]
        if found <= key and entries:
            raise DataLossError(f"key {found!r} at byte {start} does not follow {key!r}")
        allowed -= len(found)
        if allowed < 0:
            raise DataLossError(f"block of {len(block)} bytes expands to too many bytes of keys")
        entries.append((found, block[position + unshared : end]))
        position, key = end, found
    return entries


def _entries_end(block: bytes) -> int:
    """Where the entries end and the restart offsets begin."""
    count = decode_fixed32(block, len(block) - 4) if len(block) >= 4 else 0
    end = len(block) - 4 - 4 * count
    if count == 0 or end < 0:
        raise DataLossError(f"block of {len(block)} bytes cannot hold {count} restart offsets")
    return end
