"""`CheckpointReader` and the one-call readers, beside TensorFlow's (tf1_semantics.md G1, G2)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pipeline import checkpoint
from pipeline.checkpoint import (
    CheckpointError,
    CheckpointReader,
    DataLossError,
    NewCheckpointReader,
    NotFoundError,
    Saver,
    UnimplementedError,
    checkpoint_prefix,
    crc,
    list_variables,
    load_checkpoint,
    load_variable,
    write_bundle,
)
from pipeline.checkpoint.entry import Entry, Header
from pipeline.checkpoint.index import read_index
from pipeline.checkpoint.table import encode_table

TENSORS = {
    "v1": np.float32([1.0]), "v2": np.float32([2.0]), "foo/v": np.ones((2, 3), np.float16),
    "b": np.array([True, False]), "s": np.array([b"x\0", b""], np.object_), "n": np.int64(3),
}


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    write_bundle(tmp_path / "m", TENSORS)
    return str(tmp_path / "m")


def test_methods_answer_as_tensorflows(prefix: str, tf: ModuleType) -> None:
    ours, theirs = NewCheckpointReader(prefix), tf.train.load_checkpoint(prefix)
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    assert ours.debug_string() == theirs.debug_string()
    assert ours.get_variable_to_dtype_map() == {
        name: np.dtype(dtype.as_numpy_dtype)
        for name, dtype in theirs.get_variable_to_dtype_map().items()}
    assert ours.has_tensor("v1")
    assert not ours.has_tensor("nope")
    for name in TENSORS:
        assert np.array_equal(ours.get_tensor(name), theirs.get_tensor(name))
    assert list_variables(prefix) == tf.train.list_variables(prefix)


def test_is_a_mapping(prefix: str) -> None:
    reader = CheckpointReader(prefix)
    assert list(reader) == sorted(TENSORS)
    assert len(reader) == 6
    assert "v1" in reader
    assert "nope" not in reader
    assert 3 not in reader
    assert dict(reader.items())["v2"] == 2.0
    assert reader.get("nope") is None
    with pytest.raises(KeyError):
        reader["nope"]
    assert repr(reader) == f"CheckpointReader({prefix!r}, 6 tensors)"


def test_tensors_are_read_only_views_that_outlive_the_files(prefix: str, tmp_path: Path) -> None:
    reader = CheckpointReader(prefix)
    found = reader["foo/v"]
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 2
    write_bundle(tmp_path / "m", {"foo/v": np.zeros((2, 3), np.float16)})
    for path in tmp_path.iterdir():
        path.unlink()
    assert (found == 1).all()
    assert reader["v1"] == 1.0


def test_absent_names_and_files(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"^Key nope not found in checkpoint"):
        CheckpointReader(prefix).get_tensor("nope")
    with pytest.raises(NotFoundError, match="keys have no output index: 'v1'"):
        CheckpointReader(prefix).get_tensor("v1:0")
    with pytest.raises(NotFoundError, match=r"Unsuccessful TensorSliceReader constructor: Failed "
                                            rf"to find any matching files for {tmp_path}/nope"):
        CheckpointReader(tmp_path / "nope")
    for path in (f"{prefix}.index", f"{prefix}.data-00000-of-00001"):
        with pytest.raises(NotFoundError, match=f"pass its prefix '{prefix}'"):
            CheckpointReader(path)
    with pytest.raises(NotFoundError, match=r"is a directory; .*latest_checkpoint"):
        CheckpointReader(tmp_path)


def test_one_call_readers_take_directories(tmp_path: Path, tf: ModuleType) -> None:
    with pytest.raises(NotFoundError, match=r"^Couldn't find 'checkpoint' file or checkpoints"):
        list_variables(tmp_path)
    path = Saver(TENSORS).save(tmp_path / "m", global_step=3)
    assert list_variables(tmp_path) == tf.train.list_variables(str(tmp_path))
    assert load_variable(tmp_path, "v1:0") == 1.0
    assert load_checkpoint(tmp_path).prefix == checkpoint_prefix(tmp_path) == path


def test_a_short_or_missing_data_file_is_refused_at_opening(prefix: str) -> None:
    data = Path(f"{prefix}.data-00000-of-00001")
    content = data.read_bytes()
    data.write_bytes(content[:-1])
    with pytest.raises(DataLossError, match=r"m: n: needs \d+ bytes of data file 0, which was cut"):
        CheckpointReader(prefix)
    salvaged = CheckpointReader(prefix, salvage=True)
    assert salvaged["v1"] == 1.0
    assert "cut short" in (salvaged.damage("n") or "")
    assert salvaged.damage("v1") is None
    with pytest.raises(DataLossError, match="n: needs"):
        salvaged.get_tensor("n")
    data.unlink()
    with pytest.raises(NotFoundError, match="data-00000-of-00001: No such file or directory"):
        CheckpointReader(prefix)


def test_a_changed_byte_is_found_when_it_is_touched(prefix: str) -> None:
    data = Path(f"{prefix}.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    content[0] ^= 1
    data.write_bytes(content)
    reader = CheckpointReader(prefix)
    assert reader["v2"] == 2.0
    with pytest.raises(DataLossError, match=r"v1: Checksum does not match: stored \d+ vs\."):
        reader.get_tensor("v1")
    with pytest.raises(DataLossError, match="v1: Checksum"):
        reader.verify()


def test_verify_names_all_damage(prefix: str) -> None:
    CheckpointReader(prefix).verify()
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(bytes(255 - byte for byte in data.read_bytes()))
    with pytest.raises(DataLossError) as caught:
        CheckpointReader(prefix).verify()
    assert all(f" {name}: " in str(caught.value) for name in TENSORS)


def test_a_changed_index_is_refused(prefix: str) -> None:
    index = Path(f"{prefix}.index")
    content = bytearray(index.read_bytes())
    content[5] ^= 1
    index.write_bytes(content)
    with pytest.raises(DataLossError, match=r"m\.index: block at byte 0: checksum does not match"):
        CheckpointReader(prefix)


def forged(prefix: str, entries: dict[bytes, bytes], data: bytes = b"") -> None:
    Path(f"{prefix}.index").write_bytes(encode_table(sorted(entries.items())))
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)


HEADER = Header(1).encode()


@pytest.mark.parametrize(("entries", "error", "text"), [
    ({b"a": b""}, DataLossError, "no bundle header"),
    ({b"": b""}, DataLossError, "names 0 data files"),
    ({b"": b"\x08\1\x10\1"}, UnimplementedError, "big-endian"),
    ({b"": b"\x08\1\x1a\2\x10\x63"}, UnimplementedError, "version 99"),
    ({b"": b"\x0a\1x"}, DataLossError, "field 1 holds bytes"),
    ({b"": HEADER, b"x": b"\xff"}, DataLossError, "varint"),
    ({b"": HEADER, b"x": Entry(1, (2,), size=4).encode()}, DataLossError, "Invalid size"),
    ({b"": HEADER, b"x": Entry(1, (1,), offset=1, size=4).encode()}, DataLossError, "cut short"),
    ({b"": HEADER, b"x": Entry(1, (1,), shard=1, size=4).encode()}, DataLossError, "data file 1"),
    ({b"": HEADER, b"x": Entry(1, (1 << 40, 1 << 40), slices=(((0, 1), (0, 1)),)).encode()},
     DataLossError, "slice .* is missing"),
    ({b"": HEADER, b"x": Entry(1, (1,), offset=-4, size=4).encode()}, DataLossError, "offset -4"),
    ({b"": HEADER, b"x": b"\x08\1\x12\2\x18\1"}, DataLossError, "unknown rank"),
    ({b"": HEADER, b"x": b"\x08\1\x12\x0d\x12\x0b\x08" + b"\xff" * 9 + b"\1"}, DataLossError,
     r"shape \[-1\]"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_indexes_that_lie(
    tmp_path: Path, entries: dict[bytes, bytes], error: type[CheckpointError], text: str
) -> None:
    forged(str(tmp_path / "x"), entries, b"\0" * 4)
    with pytest.raises(error, match=text):
        CheckpointReader(tmp_path / "x").verify()


def test_a_type_that_numpy_cannot_hold_is_listed_and_not_read(tmp_path: Path) -> None:
    forged(str(tmp_path / "x"), {b"": HEADER, b"x": Entry(21, (), size=4).encode()}, b"\0" * 4)
    reader = CheckpointReader(tmp_path / "x")
    assert reader.debug_string() == b"x (DT_VARIANT) []\n"
    assert reader.get_variable_to_dtype_map() == {"x": np.dtype(object)}
    reader.verify()
    with pytest.raises(UnimplementedError, match=r"x: TensorFlow DataType 21 \(DT_VARIANT\)"):
        reader.get_tensor("x")


def test_slices_that_share_bytes_do_not_multiply_memory(tmp_path: Path) -> None:
    """Many slices over the same bytes would make a small file a huge array."""
    from pipeline.checkpoint.ordered_code import slice_key

    data, entries = bytes(4000), {b"": HEADER}
    extents = tuple(((1000 * i, 1000),) for i in range(100))
    entries[b"x"] = Entry(1, (100_000,), slices=extents).encode()
    for extent in extents:
        entries[slice_key(b"x", extent)] = Entry(
            1, (1000,), size=4000, crc=crc.masked_crc(data)).encode()
    forged(str(tmp_path / "x"), entries, data)
    with pytest.raises(DataLossError, match="more bytes than the data files"):
        CheckpointReader(tmp_path / "x").get_tensor("x")


def test_unknown_fields_are_passed_over(tmp_path: Path, tf: ModuleType) -> None:
    data = np.float32([7]).tobytes()
    entry = Entry(1, (1,), size=4, crc=crc.masked_crc(data)).encode()
    forged(str(tmp_path / "x"), {b"": HEADER + b"\x78\5", b"x": entry + b"\xa2\6\3abc\xfd\6abcd"},
           data)
    assert CheckpointReader(tmp_path / "x")["x"] == 7
    assert tf.train.load_checkpoint(str(tmp_path / "x")).get_tensor("x") == 7


def test_a_v1_checkpoint_is_refused_by_name(
    tmp_path: Path, tf1_graph: ModuleType
) -> None:
    tf1_graph.Variable([1.0], name="v1")
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        saver = tf1_graph.train.Saver(write_version=tf1_graph.train.SaverDef.V1)
        path = saver.save(session, str(tmp_path / "old"))
    with pytest.raises(UnimplementedError, match="old is a V1 checkpoint"):
        CheckpointReader(path)


def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    forged(str(tmp_path / "x"), {b"": HEADER, b"\xff\xfe": Entry(9, (0,), crc=0xA282EAD8).encode()})
    reader = CheckpointReader(tmp_path / "x")
    (name,) = reader
    assert reader[name].shape == (0,)
    assert reader.debug_string() == b"\xff\xfe (DT_INT64) [0]\n"


def test_more_than_two_gibibytes(tmp_path: Path, tf: ModuleType) -> None:
    """A hole in the file stands for the large tensor, whose bytes nobody reads."""
    size = (1 << 31) + (200 << 20)
    tail = np.float32([3])
    entry = Entry(4, (size,), size=size)
    following = Entry(1, (1,), offset=size, size=4, crc=crc.masked_crc(tail.tobytes()))
    forged(str(tmp_path / "x"), {b"": HEADER, b"a": entry.encode(), b"b": following.encode()})
    with open(tmp_path / "x.data-00000-of-00001", "r+b") as file:
        file.seek(size)
        file.write(tail.tobytes())
    reader = CheckpointReader(tmp_path / "x")
    assert reader.get_variable_to_shape_map()["a"] == [size]
    assert reader["b"] == tf.train.load_checkpoint(str(tmp_path / "x")).get_tensor("b") == 3


def test_opening_costs_what_numpy_costs(prefix: str) -> None:
    """No JAX, no protobuf, no TensorFlow, and nothing that they would bring along."""
    program = ("import sys; from pipeline.checkpoint import CheckpointReader, Saver;"
               f"assert CheckpointReader({prefix!r})['v1'] == 1.0;"
               "print([m for m in ('jax', 'jaxlib', 'flax', 'google.protobuf', 'tensorflow',"
               " 'tensorboard', 'rich', 'pydantic') if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                         check=True, cwd=Path(__file__).parents[2], env={**os.environ})
    assert out.stdout.strip() == "[]"


def test_the_index_alone_can_be_read(prefix: str) -> None:
    Path(f"{prefix}.data-00000-of-00001").unlink()
    assert list(read_index(prefix).tensors) == sorted(TENSORS)


def test_public_names_are_the_same_for_type_checkers_and_at_run_time() -> None:
    tree = ast.parse(Path(checkpoint.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    listed = {alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom)
              for alias in node.names}
    assert listed == {name: f"pipeline.checkpoint.{home}" for name, home in
                      checkpoint._HOME.items()}
    assert all(getattr(checkpoint, name) for name in listed)
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        checkpoint.nope  # noqa: B018
