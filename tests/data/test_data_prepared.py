"""Data sets through TFDS: prepared without TensorFlow, read in IDX order, kept, refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from file_server import Server
from idx_files import TEST, TRAIN, arrays, publish, real_mnist, write
from tensorflow_datasets.core import hashing
from tensorflow_datasets.image_classification import mnist as stock

from pipeline.data import DataError, array_cache, download, prepared, tfds_builder
from pipeline.data.catalogue import MNIST, Source
from pipeline.data.dataset import Arrays
from pipeline.data.directory import load_directory
from pipeline.data.order import record_order
from pipeline.data.prepared import load_prepared, prepare, prepare_tfds

ROOT = Path(__file__).resolve().parents[2]


def same(found: Arrays, expected: Arrays) -> bool:
    return all(one.tobytes() == other.tobytes() and one.shape == other.shape
               for one, other in zip(found, expected, strict=True))


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Path]:
    """A made-up data set, prepared from its files; not to be changed."""
    directory = tmp_path_factory.mktemp("prepared")
    source = publish(write(directory / "files", arrays()), "http://192.0.2.1/")
    prepare(source, directory / "tfds", directory / "files")
    return source, directory / "tfds"


@pytest.fixture
def copy(ready: tuple[Source, Path], tmp_path: Path) -> tuple[Source, Path, Path]:
    """The same to spoil: its source, its data directory and the directory of the version."""
    source, directory = ready
    shutil.copytree(directory, tmp_path / "copy")
    return source, tmp_path / "copy", tmp_path / "copy" / "mnist" / "3.0.1"


def stock_builder(server: Server, directory: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """TFDS's own builder, which needs TensorFlow, over the made-up files."""
    monkeypatch.setattr(stock, "_TRAIN_EXAMPLES", TRAIN)
    monkeypatch.setattr(stock, "_TEST_EXAMPLES", TEST)
    builder = stock.MNIST(data_dir=str(directory))
    builder.URL = server.url
    return builder


def test_fetched_prepared_read_and_kept(
        server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str]) -> None:
    source = publish(server.directory, server.url)
    assert same(load_prepared(source, tmp_path / "tfds"), arrays())
    assert [line.split()[0] for line in server.requests] == ["HEAD"] + ["GET"] * 4
    monkeypatch.setattr(prepared, "prepare", None)
    assert same(load_prepared(source, tmp_path / "tfds"), arrays()), "as kept, without TFDS"
    assert capfd.readouterr().out == ""


def test_without_tensorflow_and_without_network(files: Path, tmp_path: Path) -> None:
    script = Path(__file__).parent / "prepare_without_tensorflow.py"
    done = subprocess.run(
        [sys.executable, script, files, tmp_path / "cache"], capture_output=True, text=True,
        check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split()
    assert first == second
    assert done.stderr == ""


def test_two_processes_at_once_both_get_the_data(files: Path, tmp_path: Path) -> None:
    script = Path(__file__).parent / "prepare_without_tensorflow.py"
    command = [sys.executable, str(script), str(files), str(tmp_path / "cache")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=environment) for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len({line for out, _ in said for line in out.split()}) == 1


def test_the_builder_serves_tfds_own_downloader_too(server: Server, tmp_path: Path) -> None:
    source = publish(server.directory, server.url)
    builder = tfds_builder.builder(source, tmp_path)
    builder.download_and_prepare(file_format="array_record")
    assert same(load_prepared(source, tmp_path, cache=False), arrays())
    assert len([line for line in server.requests if line.startswith("GET")]) == 4


def test_what_tfds_prepared_with_tensorflow_is_read_alike(
        server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of our order: the packaged builder, run by real TensorFlow."""
    builder = stock_builder(server, tmp_path, monkeypatch)
    builder.download_and_prepare(file_format="array_record")   # type: ignore[attr-defined]
    source = publish(server.directory, "http://192.0.2.1/")
    assert same(load_prepared(source, tmp_path), arrays())


def test_stock_tfds_reads_what_we_prepared(ready: tuple[Source, Path]) -> None:
    records = tfds.data_source("mnist", split="train", data_dir=str(ready[1]), download=False)
    order = record_order("train", TRAIN)
    made = arrays()
    for place, record in zip(order, records, strict=True):
        assert (record["image"][:, :, 0] == made.train_images[place]).all()
        assert record["label"] == made.train_labels[place]


def test_the_order_is_that_of_tfds_hashing() -> None:
    hasher = hashing.Hasher("train")
    expected = sorted(range(1000), key=hasher.hash_key)
    assert record_order("train", 1000).tolist() == expected


def test_real_mnist_from_its_files_is_bit_identical(tmp_path: Path) -> None:
    directory = real_mnist()
    assert prepare_tfds("mnist", tmp_path, directory) == tmp_path / "mnist" / "3.0.1"
    expected = load_directory(directory, MNIST)
    assert same(load_prepared(MNIST, tmp_path), expected), "read through TFDS"
    assert same(load_prepared(MNIST, tmp_path), expected), "as kept"
    records = tfds.data_source("mnist", split="test", data_dir=str(tmp_path), download=False)
    assert len(records) == 10000
    first = record_order("test", 10000)[0]
    assert (records[0]["image"][:, :, 0] == expected.test_images[first]).all()


def test_without_network_the_other_ways_are_named(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(download, "urlopen", refuse)
    with pytest.raises(DataError) as caught:
        load_prepared(MNIST, tmp_path)
    assert str(caught.value) == (
        f"MNIST is not in {tmp_path} and cannot be downloaded: storage.googleapis.com is "
        "unreachable (no). Options: dataset=digits (built in), dataset=mnist dataset.directory=DIR "
        "(with the four IDX files in DIR), or connect and run again")
    assert os.listdir(tmp_path) == []


def test_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="emnist: no published data set of this name is known; "
                                        "expected one of mnist, fashion_mnist, kmnist"):
        prepare_tfds("emnist", tmp_path)


def test_manual_files_that_are_not_the_published_ones(files: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found sha256 .*, expected 440fcab"):
        prepare_tfds("mnist", tmp_path, files)


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_the_others_have_the_same_form(files: Path, tmp_path: Path, name: str) -> None:
    source = publish(files, "http://192.0.2.1/", name)
    prepare(source, tmp_path, files)
    assert same(load_prepared(source, tmp_path), arrays())
    records = tfds.data_source(name, split="test", data_dir=str(tmp_path), download=False)
    assert len(records) == TEST


def test_an_unfinished_directory(files: Path, tmp_path: Path) -> None:
    source = publish(files, "http://192.0.2.1/")
    version = tmp_path / "mnist" / "3.0.1"
    version.mkdir(parents=True)
    with pytest.raises(DataError, match=r"3.0.1: exists but holds no finished data set; delete it"):
        prepare(source, tmp_path, files)


def test_another_file_format(
        server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = stock_builder(server, tmp_path, monkeypatch)
    builder.download_and_prepare(file_format="tfrecord")   # type: ignore[attr-defined]
    source = publish(server.directory, "http://192.0.2.1/")
    with pytest.raises(DataError, match=r"prepared as tfrecord, which cannot be read without "
                                        r"TensorFlow; expected array_record: choose another"):
        load_prepared(source, tmp_path)


def spoil_shard(version: Path) -> None:
    shard = next(version.glob("*train*array_record*"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)


def cut_shard(version: Path) -> None:
    shard = next(version.glob("*train*array_record*"))
    shard.write_bytes(shard.read_bytes()[:1000])


def lose_shard(version: Path) -> None:
    next(version.glob("*test*array_record*")).unlink()


def break_index(version: Path) -> None:
    (version / "dataset_info.json").write_text("{]")


def swap_shards(version: Path) -> None:
    """Content that is whole and not the published one."""
    train, test = (next(version.glob(f"*{split}*array_record*")) for split in ("train", "test"))
    train.write_bytes(test.read_bytes())


@pytest.mark.parametrize("spoil", [spoil_shard, cut_shard, lose_shard, break_index, swap_shards])
def test_damaged_prepared_data(copy: tuple[Source, Path, Path], spoil: object) -> None:
    source, directory, version = copy
    spoil(version)   # type: ignore[operator]
    with pytest.raises(DataError, match=r"mnist.*delete the directory") as caught:
        load_prepared(source, directory)
    assert "\n" not in str(caught.value)


def test_prepared_data_of_other_content(copy: tuple[Source, Path, Path], tmp_path: Path) -> None:
    _, directory, _ = copy
    other = publish(write(tmp_path / "other", arrays(seed=9)), "http://192.0.2.1/")
    with pytest.raises(DataError, match="train_images is not what was published as MNIST; delete"):
        load_prepared(other, directory)


@pytest.mark.parametrize("damage", [
    lambda content: b"", lambda content: content[:-30], lambda content: b"x" * 100,
    lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
])
def test_a_damaged_cache_is_as_none(copy: tuple[Source, Path, Path], damage: object) -> None:
    source, directory, _ = copy
    load_prepared(source, directory)
    (kept,) = directory.glob("*.npz")
    good = kept.read_bytes()
    kept.write_bytes(damage(good))   # type: ignore[operator]
    assert array_cache.load(source, directory) is None
    assert same(load_prepared(source, directory), arrays())
    assert kept.read_bytes() == good


def test_the_cache_belongs_to_what_is_prepared(copy: tuple[Source, Path, Path]) -> None:
    source, directory, version = copy
    load_prepared(source, directory)
    (former,) = directory.glob("*.npz")
    os.utime(version / "dataset_info.json", (1, 1))
    assert array_cache.load(source, directory) is None
    load_prepared(source, directory)
    (kept,) = directory.glob("*.npz")
    assert kept != former, "and the former one is gone"


def test_the_cache_can_be_off_and_may_fail(
        copy: tuple[Source, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source, directory, _ = copy
    load_prepared(source, directory, cache=False)
    assert not list(directory.glob("*.npz"))

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert same(load_prepared(source, directory), arrays())
    assert not list(directory.glob("*.npz"))
