"""The table format, byte by byte: literals, LevelDB's rules, and what TensorFlow accepts."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import google_crc32c
import numpy as np
import pytest

from pipeline.checkpoint import CheckpointReader, DataLossError, crc, snappy, wire, write_bundle
from pipeline.checkpoint.block import BlockBuilder, decode_block
from pipeline.checkpoint.coding import decode_varint, encode_varint
from pipeline.checkpoint.entry import Entry, Header
from pipeline.checkpoint.ordered_code import slice_key
from pipeline.checkpoint.table import (
    decode_table,
    encode_table,
    short_successor,
    shortest_separator,
)


@pytest.mark.parametrize(("value", "encoded"), [
    (0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**32 - 1, "ffffffff0f"),
    (2**64 - 1, "ffffffffffffffffff01"),
])
def test_varint(value: int, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert encode_varint(value) == data
    assert decode_varint(b"?" + data + b"?", 1, len(data) + 1) == (value, len(data) + 1)


@pytest.mark.parametrize("encoded", ["", "80", "ff" * 9 + "02", "ff" * 11])
def test_varints_that_are_none(encoded: str) -> None:
    with pytest.raises(DataLossError, match="varint"):
        decode_varint(bytes.fromhex(encoded), 0, len(encoded) // 2)


def test_checksums_of_rfc_3720() -> None:
    """Section B.4, `CRC Examples`."""
    assert crc.extend(0, bytes(32)) == 0x8A9136AA
    assert crc.extend(0, b"\xff" * 32) == 0x62A8AB43
    assert crc.extend(0, bytes(range(32))) == 0x46DD794E
    assert crc.extend(0, bytes(range(31, -1, -1))) == 0x113FDB5C


def test_masked_checksum() -> None:
    assert crc.masked_crc(b"") == 0xA282EAD8  # formats.md §2.2
    assert crc.unmask(crc.mask(0x12345678)) == 0x12345678


@pytest.mark.parametrize("size", [(1 << 16) - 1, 1 << 16, 3 << 20])
def test_checksum_without_the_lock_is_the_same(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)
    assert crc.extend(7, data) == google_crc32c.extend(7, data)
    assert crc.extend(0, data[1:]) == google_crc32c.value(data[1:])


def test_empty_block() -> None:
    assert BlockBuilder(16).finish() == bytes.fromhex("0000000001000000")
    assert decode_block(bytes.fromhex("0000000001000000")) == []


def test_entry_of_a_real_tensorflow_1_9_file() -> None:
    """formats.md §2.2: the entry `v1` and the header of its index."""
    entry = bytes.fromhex("0801" "120412020801" "2804" "3581a5da2b")
    assert Entry.decode(entry) == Entry(1, (1,), 0, 0, 4, 0x2BDAA581)
    assert Entry.decode(entry).encode() == entry
    assert Header(1).encode() == bytes.fromhex("08011a020801")


def test_slice_key_of_a_partitioned_variable() -> None:
    """formats.md §2.4."""
    assert slice_key(b"part/c", ((0, 4), (0, 5))) == b"\0part/c\0\1\1\2\x80\x84\x80\x85"
    assert slice_key(b"a\0b\xff", ((0, -1),)) == b"\0a\0\xffb\xff\0\0\1\1\1\x80\x7f"
    assert slice_key(b"x", ((64, 8192),))[-5:] == bytes.fromhex("c040" "e02000")


@pytest.mark.parametrize(("key", "following", "separator"), [
    (b"abc", b"abd", b"abc"), (b"abc", b"abz", b"abd"), (b"a", b"b", b"a"), (b"ab", b"abc", b"ab"),
    (b"helloworld", b"hellozoomer", b"hellox"), (b"\xff\xff", b"\xff\xff\0", b"\xff\xff"),
])
def test_keys_of_the_index_block(key: bytes, following: bytes, separator: bytes) -> None:
    assert shortest_separator(key, following) == separator
    assert key <= separator < following


@pytest.mark.parametrize(("key", "successor"), [
    (b"abc", b"b"), (b"\xffabc", b"\xffb"), (b"\xff\xff", b"\xff\xff"), (b"", b""),
])
def test_key_after_the_last_block(key: bytes, successor: bytes) -> None:
    assert short_successor(key) == successor


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 33, 5000])
def test_table_of_any_length_comes_back(count: int) -> None:
    random = np.random.default_rng(count)
    keys = sorted({random.bytes(int(random.integers(0, 12))) for _ in range(count)})
    entries = [(key, random.bytes(int(random.integers(0, 300)))) for key in keys]
    assert list(decode_table(encode_table(entries))) == entries


def test_a_flipped_bit_anywhere_is_found() -> None:
    table = encode_table([(b"a", b"1"), (b"b", b"2")])
    for position in range(len(table) - 48):  # the footer's padding is not covered
        changed = bytearray(table)
        changed[position] ^= 0x10
        with pytest.raises(DataLossError):
            list(decode_table(bytes(changed)))


def compressed(table: bytes, blocks: int) -> bytes:
    """A table of the same entries in snappy blocks, made of literals and copies."""
    entries = list(decode_table(table))
    out, index = bytearray(), BlockBuilder(1)

    def append(raw: bytes) -> bytes:
        typed = snappy_encode(raw) + b"\1"
        handle = encode_varint(len(out)) + encode_varint(len(typed) - 1)
        out.extend(typed + crc.masked_crc(typed).to_bytes(4, "little"))
        return handle

    for start in range(0, len(entries), blocks):
        block = BlockBuilder(16)
        for key, value in entries[start : start + blocks]:
            block.add(key, value)
        index.add(block.last_key, append(block.finish()))
    handles = append(BlockBuilder(16).finish()) + append(index.finish())
    return bytes(out) + handles.ljust(40, b"\0") + table[-8:]


def snappy_encode(raw: bytes) -> bytes:
    """Every kind of element: short and long literals, copies of all three offset widths."""
    out, position = bytearray(encode_varint(len(raw))), 0
    while position < len(raw):
        length = min(64, len(raw) - position)
        found = raw.rfind(raw[position : position + 4], 0, position) if length >= 4 else -1
        if found >= 0:
            while length > 4 and raw[found : found + length] != raw[position : position + length]:
                length -= 1
            offset = position - found
            if length <= 11 and offset < 2048:
                out += bytes(((length - 4) << 2 | offset >> 8 << 5 | 1, offset & 255))
            elif position % 2:
                out += bytes(((length - 1) << 2 | 2,)) + offset.to_bytes(2, "little")
            else:
                out += bytes(((length - 1) << 2 | 3,)) + offset.to_bytes(4, "little")
        elif position % 3:
            out += bytes(((length - 1) << 2,)) if length <= 60 else bytes((60 << 2, length - 1))
            out += raw[position : position + length]
        else:
            out += bytes((61 << 2,)) + (length - 1).to_bytes(2, "little")
            out += raw[position : position + length]
        position += length
    return bytes(out)


def test_snappy_blocks_are_read_as_tensorflow_reads_them(tmp_path: Path, tf: ModuleType) -> None:
    tensors = {f"layer{i}/weights": np.float32([i]) for i in range(100)}
    write_bundle(tmp_path / "x", tensors)
    index = tmp_path / "x.index"
    index.write_bytes(compressed(index.read_bytes(), 40))
    theirs, ours = tf.train.load_checkpoint(str(tmp_path / "x")), CheckpointReader(tmp_path / "x")
    for name, value in tensors.items():
        assert theirs.get_tensor(name) == ours[name] == value


@pytest.mark.parametrize(("stream", "expected"), [
    ("00", b""), ("0308616263", b"abc"), ("0a0061" "1501", b"a" * 10),
    ("0c08616263" "22" "0300", b"abc" * 4), ("0c08616263" "23" "03000000", b"abc" * 4),
])
def test_snappy_literals(stream: str, expected: bytes) -> None:
    assert snappy.decode(bytes.fromhex(stream)) == expected


@pytest.mark.parametrize("stream", [
    "", "05", "0308616262ff", "ffffffff7f00", "0a00611502", "0408616263",
    "02086162", "03fcffffffff61", "0201",
])
def test_snappy_streams_that_are_none(stream: str) -> None:
    with pytest.raises(DataLossError):
        snappy.decode(bytes.fromhex(stream))


def test_snappy_of_tensorflow_itself(tf: ModuleType) -> None:
    """`CompressElement` keeps a snappy stream of the components' bytes in its variant:

    TensorProto.tensor_content (4) = varint length | VariantTensorDataProto.metadata (2) =
    CompressedElement.data (1).
    """
    values = np.repeat(np.arange(500, dtype=np.int32), 5)
    variant = tf.raw_ops.CompressElement(components=[tf.constant(values)])
    proto = tf.io.serialize_tensor(variant).numpy()
    content = dict(wire.decode_fields(proto))[4]
    _, start = decode_varint(content, 0, len(content))
    variant = dict(wire.decode_fields(content[start:]))
    element = dict(wire.decode_fields(variant[2]))
    assert snappy.decode(element[1]) == values.tobytes()
