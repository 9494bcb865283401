"""The four files of a directory: their names, that they belong together, whose they are."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import numpy as np
import pytest
from idx_files import arrays, idx, publish, real_mnist, zipped

from pipeline.data import DataError
from pipeline.data.catalogue import FASHION_MNIST, FILE_NAMES, KMNIST, MNIST, SOURCES
from pipeline.data.dataset import Arrays
from pipeline.data.directory import find_published, load_directory


def same(found: Arrays, expected: Arrays) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_the_published_names(files: Path) -> None:
    assert same(load_directory(files, MNIST), arrays())


@pytest.mark.parametrize("spelling", [
    lambda name: name.removesuffix(".gz"),
    lambda name: name.replace("-idx", ".idx"),
    lambda name: name.removesuffix(".gz").replace("-idx", ".idx"),
])
def test_the_other_usual_names(files: Path, spelling: object) -> None:
    for name in FILE_NAMES.values():
        content = (files / name).read_bytes()
        (files / name).unlink()
        other = spelling(name)   # type: ignore[operator]
        (files / other).write_bytes(content if other.endswith(".gz") else gzip.decompress(content))
    assert same(load_directory(files, MNIST), arrays())


def test_all_missing_files_are_named(files: Path) -> None:
    (files / "t10k-images-idx3-ubyte.gz").unlink()
    (files / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as caught:
        load_directory(files, MNIST)
    assert str(caught.value) == (
        f"{files}: 2 of the 4 MNIST files missing: train-labels-idx1-ubyte.gz, "
        f"t10k-images-idx3-ubyte.gz; get them from {MNIST.url}")


def test_a_directory_that_is_none(files: Path) -> None:
    with pytest.raises(DataError, match="absent: does not exist; expected a directory with the "
                                        "four Fashion-MNIST files: train-images"):
        load_directory(files / "absent", FASHION_MNIST)
    with pytest.raises(DataError, match="is a file; expected a directory"):
        load_directory(files / "train-labels-idx1-ubyte.gz", MNIST)


def test_counts_that_differ(files: Path) -> None:
    (files / "t10k-labels-idx1-ubyte.gz").write_bytes(zipped(idx(arrays().test_labels[:-1])))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.gz: test has 20 images but 19 "
                                        r"labels \(t10k-labels-idx1-ubyte.gz\); the two files"):
        load_directory(files, MNIST)


def test_other_content_than_published_is_said(
        files: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_directory(files, KMNIST)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"not the published Kuzushiji-MNIST: {files}/train-images" in caplog.text


def test_published_content_is_known_however_it_is_compressed(
        files: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = publish(files, "http://127.0.0.1/")
    for name in FILE_NAMES.values():
        path = files / name
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=9))
    load_directory(files, source)
    assert not caplog.records
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz: found sha256 .*; TFDS "
                                        "takes only the published files"):
        find_published(files, source)


def test_tfds_needs_the_published_names_too(files: Path) -> None:
    source = publish(files, "http://127.0.0.1/")
    find_published(files, source)
    path = files / "t10k-labels-idx1-ubyte.gz"
    path.rename(files / "t10k-labels-idx1-ubyte")
    with pytest.raises(DataError, match="1 of the 4 MNIST files missing: t10k-labels"):
        find_published(files, source)


def test_the_real_files_are_known(caplog: pytest.LogCaptureFixture) -> None:
    found = load_directory(real_mnist(), MNIST)
    assert [len(values) for values in found] == [60000, 60000, 10000, 10000]
    assert not caplog.records


def test_the_catalogue_agrees_with_the_installed_tfds() -> None:
    """Addresses, sizes and digests, against the table that TFDS itself carries."""
    from tensorflow_datasets.core.download.checksums import get_all_url_infos

    known = get_all_url_infos()
    for source in SOURCES.values():
        for part, published in source.files.items():
            entry = known[source.url + FILE_NAMES[part]]
            assert (entry.size, entry.checksum) == (published.size, published.sha256)
