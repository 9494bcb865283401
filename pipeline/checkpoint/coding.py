"""Integers as bytes: varints and fixed little-endian words.

    varint: 7 bits per byte, lowest first; the top bit says that another byte follows
"""

from __future__ import annotations

from pipeline.checkpoint.errors import DataLossError

MAX_VARINT_BYTES = 10  # 64 bits, 7 at a time


def encode_varint(value: int) -> bytes:
    """A non-negative integer below 2**64 in 1 to 10 bytes."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, position: int, limit: int) -> tuple[int, int]:
    """The integer at `position` and the position after it; nothing is read from `limit` on.

    Raises:
        DataLossError: the integer does not end before `limit`, or exceeds 64 bits.
    """
    if position < limit and data[position] < 0x80:  # nearly all of them
        return data[position], position + 1
    value = shift = 0
    for index in range(position, min(limit, position + MAX_VARINT_BYTES)):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise DataLossError(f"varint at byte {position} exceeds 64 bits")
            return value, index + 1
        shift += 7
    raise DataLossError(f"varint at byte {position} does not end")


def to_signed(value: int) -> int:
    """The two's complement reading of 64 bits: how protobuf stores a negative int64."""
    return value - (1 << 64) if value >> 63 else value


def encode_fixed32(value: int) -> bytes:
    """4 bytes, lowest first."""
    return value.to_bytes(4, "little")


def decode_fixed32(data: bytes, position: int) -> int:
    """The 4 bytes at `position`, which the caller knows to exist."""
    return int.from_bytes(data[position : position + 4], "little")
