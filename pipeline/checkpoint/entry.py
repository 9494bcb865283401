"""The values of an `.index` table: the bundle's header and one entry per tensor.

    BundleHeaderProto: 1 num_shards, 2 endianness (1: big), 3 version {1 producer, 2 min_consumer,
                       3 bad_consumers}                              under the key ""
    BundleEntryProto:  1 dtype, 2 shape {2 dim {1 size}, 3 unknown_rank}, 3 shard_id, 4 offset,
                       5 size, 6 crc32c (fixed32, masked), 7 slices   under the tensor's name
    TensorSliceProto:  1 extent {1 start, 2 length}; an empty extent is the whole dimension

Field numbers: tensorflow/core/protobuf/tensor_bundle.proto and formats.md §2.2.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.checkpoint import wire
from pipeline.checkpoint.coding import to_signed
from pipeline.checkpoint.errors import DataLossError, UnimplementedError

HEADER_KEY = b""
BUNDLE_VERSION = 1  # kTensorBundleVersion: what this code writes, and the newest that it reads
Shape = tuple[int, ...]
Extents = tuple[tuple[int, int], ...]  # (start, length) per dimension; length -1: the whole of it


@dataclass(frozen=True)
class Header:
    """How many data files belong to the index."""

    num_shards: int

    def encode(self) -> bytes:
        """The message's bytes."""
        version = wire.encode_varint_field(1, BUNDLE_VERSION)
        return wire.encode_varint_field(1, self.num_shards) + wire.encode_bytes_field(3, version)

    @classmethod
    def decode(cls, message: bytes) -> Header:
        """Reads the bytes.

        Raises:
            DataLossError: they are no header.
            UnimplementedError: the bundle is big-endian, or asks for a newer reader.
        """
        num_shards = 0
        for number, value in wire.decode_fields(message):
            if number == 1:
                num_shards = wire.expect_int(1, value)
            elif number == 2 and value:
                raise UnimplementedError("bundle was written on a big-endian machine")
            elif number == 3:
                _check_version(wire.expect_bytes(3, value))
        if not 0 < num_shards < 1 << 31:
            raise DataLossError(f"bundle header names {num_shards} data files")
        return cls(num_shards)


def _check_version(message: bytes) -> None:
    for number, value in wire.decode_fields(message):
        if number == 2 and (needed := wire.expect_int(2, value)) > BUNDLE_VERSION:
            raise UnimplementedError(
                f"bundle asks for a reader of version {needed}; this one has {BUNDLE_VERSION}"
            )


class Entry(NamedTuple):
    """Where a tensor is and what it is; `slices` only for a partitioned variable's full tensor."""

    dtype: int
    shape: Shape
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0
    slices: tuple[Extents, ...] = ()

    def encode(self) -> bytes:
        """The message's bytes; a sliced tensor has neither place nor checksum."""
        message = wire.encode_varint_field(1, self.dtype)
        message += wire.encode_bytes_field(2, encode_shape(self.shape))
        message += wire.encode_varint_field(3, self.shard)
        message += wire.encode_varint_field(4, self.offset)
        message += wire.encode_varint_field(5, self.size)
        if not self.slices:
            return message + wire.encode_fixed32_field(6, self.crc)
        return message + b"".join(wire.encode_bytes_field(7, _encode_slice(s)) for s in self.slices)

    @classmethod
    def decode(cls, message: bytes) -> Entry:
        """Reads the bytes; unknown fields are passed over, as TensorFlow does.

        Raises:
            DataLossError: they are no entry.
        """
        numbers, shape, slices = [0] * 7, b"", []
        for number, value in wire.decode_fields(message):
            if number in (1, 3, 4, 5, 6):
                numbers[number] = wire.expect_int(number, value)
            elif number == 2:
                shape = wire.expect_bytes(2, value)
            elif number == 7:
                slices.append(_decode_slice(wire.expect_bytes(7, value)))
        _, dtype, _, shard, offset, size, crc = numbers
        if max(offset, size) >> 63:
            raise DataLossError(f"entry has offset {to_signed(offset)}, size {to_signed(size)}")
        return cls(dtype, decode_shape(shape), shard, offset, size, crc, tuple(slices))


def encode_shape(shape: Shape) -> bytes:
    """A TensorShapeProto; a dimension of size 0 is an empty message."""
    return b"".join(wire.encode_bytes_field(2, wire.encode_varint_field(1, size)) for size in shape)


@functools.lru_cache(maxsize=1024)
def decode_shape(message: bytes) -> Shape:
    """The shape of a TensorShapeProto.

    Raises:
        DataLossError: a dimension is negative, or the rank unknown.
    """
    shape: list[int] = []
    for number, value in wire.decode_fields(message):
        if number == 2:
            fields = dict(wire.decode_fields(wire.expect_bytes(2, value)))
            shape.append(to_signed(wire.expect_int(1, fields.get(1, 0))))
        elif number == 3 and value:
            raise DataLossError("entry has a shape of unknown rank")
    if any(size < 0 for size in shape):
        raise DataLossError(f"entry has shape {shape}")
    return tuple(shape)


def _encode_slice(extents: Extents) -> bytes:
    return b"".join(
        wire.encode_bytes_field(1, b"" if length < 0 else _encode_extent(start, length))
        for start, length in extents
    )


def _encode_extent(start: int, length: int) -> bytes:
    return wire.encode_varint_field(1, start) + wire.encode_varint_field(2, length)


def _decode_slice(message: bytes) -> Extents:
    extents: list[tuple[int, int]] = []
    for number, value in wire.decode_fields(message):
        if number == 1:
            fields = dict(wire.decode_fields(wire.expect_bytes(1, value)))
            start = to_signed(wire.expect_int(1, fields.get(1, 0)))
            length = to_signed(wire.expect_int(2, fields.get(2, -1 & (1 << 64) - 1)))
            extents.append((start, length))
    return tuple(extents)
