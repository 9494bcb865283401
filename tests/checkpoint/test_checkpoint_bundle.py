"""Random checkpoints each way: TensorFlow is the judge of values and of every byte."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from checkpoint_cases import (
    DTYPES,
    NEVER_JOINED,
    assert_same,
    cases,
    random_array,
    random_tensors,
    save_v2,
    to_tensor,
    whole,
)

from pipeline.checkpoint import (
    CheckpointReader,
    InvalidArgumentError,
    InvalidTypeError,
    Part,
    PartitionedTensor,
    write_bundle,
)

SUFFIXES = (".index", ".data-00000-of-00001")


def test_random_checkpoints_each_way(tmp_path: Path, tf: ModuleType) -> None:
    """Same bytes as SaveV2; TensorFlow reads ours and we read TensorFlow's, bit by bit."""
    for case in range(cases(150)):
        random = np.random.default_rng(case)
        tensors = random_tensors(random)
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        write_bundle(ours, tensors, durable=False)
        save_v2(tf, theirs, tensors)
        for suffix in SUFFIXES:
            assert (Path(f"{ours}{suffix}").read_bytes()
                    == Path(f"{theirs}{suffix}").read_bytes()), f"case {case}: {suffix}"
        aligned, shards = int(random.choice([1, 4, 64])), int(random.integers(1, 5))
        parts = {name: index % shards for index, name in enumerate(tensors)}
        write_bundle(tmp_path / "free", tensors, align=aligned, durable=False,
                     shards=parts if len(tensors) >= shards else None)
        assert_tensorflow_reads(tf, tmp_path / "free", tensors)
        for prefix in (theirs, tmp_path / "free"):
            reader = CheckpointReader(prefix)
            assert list(reader) == sorted(tensors, key=str.encode)
            for name, value in tensors.items():
                assert_same(reader[name], whole(value))


def assert_tensorflow_reads(tf: ModuleType, prefix: Path, tensors: dict[str, Any]) -> None:
    names = [name for name, value in tensors.items()
             if not isinstance(value, PartitionedTensor) or whole(value).dtype not in NEVER_JOINED]
    if not names:
        return
    kinds = [to_tensor(tf, whole(tensors[name])).dtype for name in names]
    found = tf.raw_ops.RestoreV2(prefix=str(prefix), tensor_names=names,
                                 shape_and_slices=[""] * len(names), dtypes=kinds)
    for name, value in zip(names, found, strict=True):
        assert_same(value.numpy() if value.shape.rank else np.asarray(
            value.numpy(), whole(tensors[name]).dtype), whole(tensors[name]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3, 4)], ids=str)
def test_every_dtype_and_shape(
    tmp_path: Path, tf: ModuleType, dtype: Any, shape: tuple[int, ...]
) -> None:
    tensors = {"x": random_array(np.random.default_rng(0), dtype, shape)}
    write_bundle(tmp_path / "ours", tensors)
    save_v2(tf, tmp_path / "theirs", tensors)
    for suffix in SUFFIXES:
        assert (tmp_path / f"ours{suffix}").read_bytes() == (
            tmp_path / f"theirs{suffix}").read_bytes()
    assert_same(CheckpointReader(tmp_path / "ours")["x"], tensors["x"])
    assert_tensorflow_reads(tf, tmp_path / "ours", tensors)


def test_twelve_thousand_tensors_in_five_blocks(tmp_path: Path, tf: ModuleType) -> None:
    tensors = {f"model/block_{i % 97}/layer_{i}/weights": np.float32([i]) for i in range(12_000)}
    write_bundle(tmp_path / "ours", tensors)
    save_v2(tf, tmp_path / "theirs", tensors)
    for suffix in SUFFIXES:
        assert (tmp_path / f"ours{suffix}").read_bytes() == (
            tmp_path / f"theirs{suffix}").read_bytes()
    reader = CheckpointReader(tmp_path / "theirs")
    assert len(reader) == 12_000
    assert all(reader[name] == value for name, value in tensors.items())


def test_shards_equal_those_that_tensorflow_merges(tmp_path: Path, tf: ModuleType) -> None:
    random = np.random.default_rng(3)
    tensors = {f"v{i}": random_array(random, np.float32, (i, 3)) for i in range(7)}
    shards = {name: index % 3 for index, name in enumerate(tensors)}
    for shard in range(3):
        save_v2(tf, tmp_path / f"part{shard}", tensors,
                [name for name in tensors if shards[name] == shard])
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(tmp_path / f"part{shard}") for shard in range(3)],
        destination_prefix=str(tmp_path / "theirs"))
    write_bundle(tmp_path / "ours", tensors, shards=shards)
    for path in tmp_path.glob("theirs.*"):
        assert path.read_bytes() == (tmp_path / path.name.replace("theirs", "ours")).read_bytes()


def test_byte_order_and_strides_do_not_matter(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    write_bundle(tmp_path / "plain", {"x": values[::2, ::3]})
    write_bundle(tmp_path / "other", {"x": values.astype(">f4").T[::3, ::2].T})
    for suffix in SUFFIXES:
        assert (tmp_path / f"plain{suffix}").read_bytes() == (
            tmp_path / f"other{suffix}").read_bytes()


def test_text_is_stored_as_utf8(tmp_path: Path) -> None:
    write_bundle(tmp_path / "s", {"unicode": np.array(["é", "b"]), "bytes": np.array([b"x", b"yy"]),
                                  "mixed": np.array(["é", b"\0a\0"], np.object_), "one": "漢"})
    reader = CheckpointReader(tmp_path / "s")
    assert reader["unicode"].tolist() == ["é".encode(), b"b"]
    assert reader["bytes"].tolist() == [b"x", b"yy"]
    assert reader["mixed"].tolist() == ["é".encode(), b"\0a\0"]
    assert reader["one"].item() == "漢".encode()


def test_alignment_lets_values_be_used_where_they_lie(tmp_path: Path) -> None:
    tensors = {"a": np.ones(3, np.int8), "b": np.ones(5, np.float32), "c": np.ones(2)}
    write_bundle(tmp_path / "x", tensors, align=64)
    reader = CheckpointReader(tmp_path / "x")
    assert [reader.entry(name).offset for name in "abc"] == [0, 64, 128]
    assert all(reader[name].ctypes.data % 64 == 0 for name in "abc")


def test_a_tied_weight_is_saved_under_both_names(tmp_path: Path) -> None:
    tied = np.ones(3)
    write_bundle(tmp_path / "x", {"a": tied, "b": tied})
    assert (CheckpointReader(tmp_path / "x")["b"] == 1).all()


@pytest.mark.parametrize(("name", "error"), [
    ("", InvalidArgumentError), ("\0x", InvalidArgumentError), (3, InvalidTypeError),
    ("\ud800", InvalidArgumentError),
])
def test_names_that_cannot_be_stored(tmp_path: Path, name: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="tensor name"):
        write_bundle(tmp_path / "x", {name: np.ones(1)})
    assert not list(tmp_path.iterdir())


def test_dtypes_that_tensorflow_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match=r"when: dtype datetime64\[s\] has no TensorFlow"):
        write_bundle(tmp_path / "x", {"when": np.zeros(2, "M8[s]")})
    with pytest.raises(InvalidTypeError, match="names: element 3 of a string tensor is int"):
        write_bundle(tmp_path / "x", {"names": np.array([b"a", 3], np.object_)})


def test_shards_and_alignment_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="align=0"):
        write_bundle(tmp_path / "x", {"a": np.ones(1)}, align=0)
    with pytest.raises(InvalidArgumentError, match=r"data files \[0, 2\]"):
        write_bundle(tmp_path / "x", {"a": np.ones(1), "b": np.ones(1)}, shards={"a": 0, "b": 2})
    with pytest.raises(InvalidArgumentError, match=r"leave out \['b'\]"):
        write_bundle(tmp_path / "x", {"a": np.ones(1), "b": np.ones(1)}, shards={"a": 0})


def test_parts_have_the_shape_of_their_place() -> None:
    with pytest.raises(InvalidArgumentError, match=r"part 0,2:0,2 of \(3, 2\) has shape \(2, 3\)"):
        PartitionedTensor((3, 2), (Part(((0, 2), (0, 2)), np.ones((2, 3))),))
    with pytest.raises(InvalidArgumentError, match=r"slice 2,2 does not fit shape \(3,\)"):
        PartitionedTensor((3,), (Part(((2, 2),), np.ones(2)),))
    assert [len(part.value) for part in PartitionedTensor.split(np.ones(10), 3).parts] == [4, 3, 3]


def test_a_lazy_value_is_fetched_once_and_in_turn(tmp_path: Path) -> None:
    """What lies on a device is copied one array at a time."""
    fetched = []

    class OnDevice:
        shape, dtype = (4,), np.dtype(np.float32)

        def __init__(self, number: int) -> None:
            self.number = number

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            fetched.append(self.number)
            return np.full(4, self.number, np.float32)

    write_bundle(tmp_path / "x", {f"v{i}": OnDevice(i) for i in range(5)})
    assert fetched == [0, 1, 2, 3, 4]
    assert CheckpointReader(tmp_path / "x")["v3"].tolist() == [3.0] * 4


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1, 9 << 20], ids=str)
def test_large_tensors_are_written_in_pieces(tmp_path: Path, tf: ModuleType, size: int) -> None:
    random = np.random.default_rng(size)
    tensors = {"small": np.float32(1), "large": random.integers(0, 256, size).astype(np.uint8),
               "strings": np.array([random.bytes(2 << 20)], np.object_), "tail": np.ones(3)}
    write_bundle(tmp_path / "ours", tensors)
    save_v2(tf, tmp_path / "theirs", tensors)
    for suffix in SUFFIXES:
        assert (tmp_path / f"ours{suffix}").read_bytes() == (
            tmp_path / f"theirs{suffix}").read_bytes()
    assert_same(CheckpointReader(tmp_path / "theirs")["large"], tensors["large"])
