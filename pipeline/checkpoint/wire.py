"""Protocol buffer messages as bytes: what the bundle's few small messages need, and no more.

    message = (tag value)…      tag = varint of field number << 3 | wire type
    wire types: 0 varint, 1 fixed 8 bytes, 2 varint length and bytes, 5 fixed 4 bytes
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checkpoint.coding import decode_varint, encode_varint
from pipeline.checkpoint.errors import DataLossError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | bytes


def encode_varint_field(number: int, value: int) -> bytes:
    """A varint field, or nothing for 0: proto3 leaves defaults out. Negative: 10 bytes."""
    if value == 0:
        return b""
    return encode_varint(number << 3 | VARINT) + encode_varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def encode_bytes_field(number: int, value: bytes) -> bytes:
    """A string, bytes or message field, present even when empty."""
    return encode_varint(number << 3 | BYTES) + encode_varint(len(value)) + value


def encode_fixed32_field(number: int, value: int) -> bytes:
    """A fixed32 field, present even when 0."""
    return encode_varint(number << 3 | FIXED32) + value.to_bytes(4, "little")


def decode_fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """(field number, value) in the order of the bytes: an int, or bytes for wire type 2.

    Raises:
        DataLossError: the bytes are no message.
    """
    position, end = 0, len(message)
    while position < end:
        tag, position = decode_varint(message, position, end)
        kind, number = tag & 7, tag >> 3
        if number == 0:
            raise DataLossError("message has a field with number 0")
        if kind == VARINT:
            value, position = decode_varint(message, position, end)
            yield number, value
            continue
        if kind == BYTES:
            length, position = decode_varint(message, position, end)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise DataLossError(f"message field {number} has wire type {kind}")
        following = position + length
        if following > end:
            raise DataLossError(f"message field {number} exceeds the message")
        found = message[position:following]
        yield number, found if kind == BYTES else int.from_bytes(found, "little")
        position = following


def expect_int(number: int, value: Value) -> int:
    """The value, when the field was stored as a number."""
    if isinstance(value, bytes):
        raise DataLossError(f"message field {number} holds bytes; expected a number")
    return value


def expect_bytes(number: int, value: Value) -> bytes:
    """The value, when the field was stored as bytes."""
    if isinstance(value, int):
        raise DataLossError(f"message field {number} holds a number; expected bytes")
    return value
