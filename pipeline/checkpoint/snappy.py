"""Decoding of snappy blocks, which other writers than TensorFlow's may use in an `.index`.

    stream  = varint length of the result | element…
    literal = length - 1 in the tag's upper 6 bits; 60 to 63: in the next 1 to 4 bytes | bytes
    copy    = 1-byte offset: length - 4 in bits 2 to 4, offset's upper 3 bits in bits 5 to 7 | byte
              2- and 4-byte offset: length - 1 in the upper 6 bits | offset, little-endian

The tag's lower 2 bits say which: 0 literal, 1, 2 and 3 copies (snappy's format_description.txt).
"""

from __future__ import annotations

from pipeline import budget
from pipeline.checkpoint.coding import decode_varint
from pipeline.checkpoint.errors import DataLossError

_LONGEST_EXPANSION = 24  # a 3-byte copy gives at most 64 bytes


def decode(data: bytes) -> bytes:
    """The bytes that were compressed.

    Raises:
        DataLossError: an element points outside, or the length is not the promised one.
    """
    length, position = decode_varint(data, 0, len(data))
    if length > _LONGEST_EXPANSION * len(data):
        raise DataLossError(f"snappy stream of {len(data)} bytes promises {length}")
    budget.current().require(2 * length, "unpacked")
    out = bytearray()
    while position < len(data) and len(out) <= length:
        position = _element(data, position, out)
    if len(out) != length:
        raise DataLossError(f"snappy stream gives {len(out)} bytes, promised {length}")
    return bytes(out)


def _element(data: bytes, position: int, out: bytearray) -> int:
    """Appends what the element at `position` stands for; returns the position after it."""
    tag, position = data[position], position + 1
    upper, kind = tag >> 2, tag & 3
    if kind == 0:
        return _literal(data, position, upper, out)
    width = (0, 1, 2, 4)[kind]
    offset = int.from_bytes(data[position : position + width], "little")
    if kind == 1:
        length, offset = (upper & 7) + 4, offset | (tag >> 5) << 8
    else:
        length = upper + 1
    if position + width > len(data) or not 0 < offset <= len(out):
        raise DataLossError(f"snappy copy at byte {position - 1} points outside")
    pattern = bytes(out[-offset:][:length])
    out += (pattern * (length // len(pattern) + 1))[:length]  # a copy may overlap its own result
    return position + width


def _literal(data: bytes, position: int, upper: int, out: bytearray) -> int:
    width = max(0, upper - 59)
    length = int.from_bytes(data[position : position + width], "little") if width else upper
    start = position + width
    end = start + length + 1
    if end > len(data):
        raise DataLossError(f"snappy literal at byte {position - 1} points outside")
    out += data[start:end]
    return end
