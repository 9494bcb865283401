"""The keys of a partitioned variable's slices: an encoding whose bytes sort as the values do.

    key    = number 0 | string name | number rank | (signed start | signed length) per dimension
    number = count of bytes, 1 byte | big-endian bytes without leading zeros
    string = bytes, with 00 → 00 ff and ff → ff 00 | 00 01
    signed = n bytes big-endian two's complement, its top n bits inverted; n = bits // 7 + 1

formats.md §2.4; tensorflow/core/lib/strings/ordered_code.h describes the encoding.
"""

from __future__ import annotations

import re

from pipeline.checkpoint.entry import Extents

_ESCAPED = {b"\0": b"\0\xff", b"\xff": b"\xff\0"}
_SPECIAL = re.compile(b"[\0\xff]")
PREFIX = b"\0"  # every slice key begins with it, and no tensor's name may


def slice_key(name: bytes, extents: Extents) -> bytes:
    """The table key of one slice of tensor `name`."""
    key = _number(0) + _string(name) + _number(len(extents))
    return key + b"".join(_signed(start) + _signed(length) for start, length in extents)


def _number(value: int) -> bytes:
    width = (value.bit_length() + 7) // 8
    return bytes((width,)) + value.to_bytes(width, "big")


def _string(value: bytes) -> bytes:
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], value) + b"\0\1"


def _signed(value: int) -> bytes:
    magnitude = ~value if value < 0 else value
    width = magnitude.bit_length() // 7 + 1
    header = ((1 << width) - 1) << (7 * width)
    return ((value & (1 << 8 * width) - 1) ^ header).to_bytes(width, "big")
