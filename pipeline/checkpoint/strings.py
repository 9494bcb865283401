"""String tensors: their bytes in a data file are not an array.

    tensor = varint length… | fixed32 masked crc32c of the lengths | bytes…

Checksums run over the lengths as uint32le (uint64le where one exceeds 32 bits), not as varints; the
entry's covers lengths, the stored checksum and all bytes (formats.md §2.3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint import crc
from pipeline.checkpoint.coding import decode_fixed32, decode_varint, encode_fixed32, encode_varint
from pipeline.checkpoint.errors import DataLossError, InvalidTypeError


def encode_strings(array: NDArray[Any]) -> tuple[bytes, int]:
    """The stored bytes of an array of `bytes` or `str` (as UTF-8), and their masked checksum.

    Raises:
        InvalidTypeError: an element is neither.
    """
    elements = [_to_bytes(element) for element in array.reshape(-1).tolist()]
    lengths = b"".join(_length_word(len(element)) for element in elements)
    checksum = crc.extend(0, lengths)
    stored = encode_fixed32(crc.mask(checksum))
    body = b"".join(elements)
    total = crc.extend(crc.extend(checksum, stored), body)
    varints = b"".join(encode_varint(len(element)) for element in elements)
    return varints + stored + body, crc.mask(total)


def decode_strings(data: bytes, shape: tuple[int, ...], count: int, expected: int) -> NDArray[Any]:
    """An object array of `bytes`; `expected` is the entry's masked checksum.

    NumPy's own `S` type would lose trailing zero bytes.

    Raises:
        DataLossError: a checksum does not match, or lengths and bytes disagree.
    """
    if count > len(data):
        raise DataLossError(f"{len(data)} bytes cannot hold {count} strings")
    lengths, position = [], 0
    for _ in range(count):
        length, position = decode_varint(data, position, len(data))
        lengths.append(length)
    checksum = crc.extend(0, b"".join(map(_length_word, lengths)))
    body = position + 4
    if body + sum(lengths) != len(data):
        raise DataLossError(f"{count} strings of {sum(lengths)} bytes in {len(data) - body} bytes")
    if decode_fixed32(data, position) != crc.mask(checksum):
        raise DataLossError("checksum of the string lengths does not match")
    found = crc.mask(crc.extend(checksum, data[position:]))
    if found != expected:
        raise DataLossError(f"checksum does not match: stored {expected}, calculated {found}")
    out = np.empty(count, np.object_)
    for index, length in enumerate(lengths):
        out[index] = data[body : body + length]
        body += length
    return out.reshape(shape)


def _length_word(length: int) -> bytes:
    return length.to_bytes(4 if length < 1 << 32 else 8, "little")


def _to_bytes(element: object) -> bytes:
    if isinstance(element, str):
        return element.encode()
    if isinstance(element, bytes):
        return element
    raise InvalidTypeError(f"element {element!r} of a string tensor is {type(element).__name__}; "
                           "expected bytes or str")
