"""`read_data_sets`, as the tutorial calls it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from file_server import Server
from idx_files import arrays, publish, real_mnist

from pipeline.data import DataError, catalogue, download, read_data_sets

EXTRACTING = [f"Extracting {{}}{name}" for name in catalogue.FILE_NAMES.values()]


def test_the_tutorial_reads_real_mnist(capsys: pytest.CaptureFixture[str]) -> None:
    directory = f"{real_mnist()}/"
    mnist = read_data_sets(directory, one_hot=True, seed=0)
    assert capsys.readouterr().out.splitlines() == [line.format(directory) for line in EXTRACTING]
    assert mnist.train.num_examples == 55000
    assert mnist.validation.num_examples == 5000
    assert mnist.test.num_examples == 10000
    assert mnist.validation.labels[:10].argmax(axis=1).tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    images, labels = mnist.train.next_batch(100)
    assert (images.shape, images.dtype) == ((100, 784), np.float32)
    assert (labels.shape, labels.dtype) == ((100, 10), np.float64)
    np.random.seed(0)
    order = np.arange(55000)
    np.random.shuffle(order)
    assert (labels.argmax(axis=1) == mnist.train.digits[order[:100]]).all()


def test_arguments(files: Path) -> None:
    made = read_data_sets(files, dtype=np.uint8, reshape=False, validation_size=7, seed=1)
    assert made.validation.images.shape == (7, 28, 28, 1)
    assert (made.validation.images[..., 0] == arrays().train_images[:7]).all()
    assert made.test.labels.tolist() == arrays().test_labels.tolist()
    with pytest.raises(DataError, match=r"^Validation size should be between 0 and 60\. "):
        read_data_sets(files)
    with pytest.raises(TypeError, match="Invalid image dtype"):
        read_data_sets(files, dtype="int32")


def test_fake_data_needs_no_files(tmp_path: Path) -> None:
    fake = read_data_sets(tmp_path / "absent", fake_data=True, one_hot=True)
    assert [part.num_examples for part in fake] == [10000] * 3
    images, labels = fake.train.next_batch(3, fake_data=True)
    assert (images, labels) == ([[1] * 784] * 3, [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]] * 3)
    assert read_data_sets(tmp_path, fake_data=True).test.next_batch(2)[1] == [0, 0]


def test_missing_files_are_fetched_and_told_as_tf1_told_it(
        server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    present = "train-labels-idx1-ubyte.gz"
    (directory / present).write_bytes((server.directory / present).read_bytes())
    made = read_data_sets(f"{directory}/", validation_size=5, source_url=server.url)
    expected = []
    for name, extracting in zip(catalogue.FILE_NAMES.values(), EXTRACTING, strict=True):
        if name != present:
            size = (server.directory / name).stat().st_size
            expected.append(f"Successfully downloaded {name} {size} bytes.")
        expected.append(extracting.format(f"{directory}/"))
    assert capsys.readouterr().out.splitlines() == expected
    assert (made.test.pixels == arrays().test_images).all()
    read_data_sets(directory, validation_size=5, source_url=server.url)
    assert len(server.requests) == 4, "one preflight, three files, and nothing the second time"


def test_fetched_files_are_checked_where_the_address_is_a_published_one(
        server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = publish(server.directory, server.url, "kmnist")
    monkeypatch.setitem(catalogue.SOURCES, "kmnist", source)
    made = read_data_sets(tmp_path / "good", validation_size=5, source_url=server.url)
    assert made.name == "kmnist"
    wrong = server.directory / "t10k-labels-idx1-ubyte.gz"
    wrong.write_bytes(wrong.read_bytes() + b"!")
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.gz: the download failed"):
        read_data_sets(tmp_path / "bad", validation_size=5, source_url=server.url)
    assert not (tmp_path / "bad" / wrong.name).exists()


def test_no_network_is_said_before_anything_is_tried(
        files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = files / "t10k-images-idx3-ubyte.gz"
    missing.unlink()

    def refuse(*arguments: object, **keywords: object) -> SimpleNamespace:
        raise OSError("no route to host")

    monkeypatch.setattr(download, "urlopen", refuse)
    with pytest.raises(DataError) as caught:
        read_data_sets(files)
    assert str(caught.value) == (
        f"{files}: 1 of the 4 MNIST files missing: t10k-images-idx3-ubyte.gz, and "
        "storage.googleapis.com is unreachable (no route to host); put the files there, or connect "
        "and run again")
