"""TF 1.15's `input_data.read_data_sets`: the same arguments, values, batches and messages."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from pipeline.data.catalogue import FILE_NAMES, MNIST, SOURCES, Part, Source
from pipeline.data.dataset import DataSets, FakeDataSet, as_view, split
from pipeline.data.directory import assemble, find_file, missing_text, read
from pipeline.data.download import download, unreachable
from pipeline.data.errors import DataError
from pipeline.data.idx import IdxFile


def read_data_sets(
    train_dir: str | os.PathLike[str],
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: DTypeLike = np.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = MNIST.url,
) -> DataSets:
    """The four IDX files in `train_dir`; missing ones are fetched from `source_url` first.

    `images` are float32 in 0..1 (or uint8 as they are, by `dtype`), [n, 784] or, unless `reshape`,
    [n, 28, 28, 1]; `labels` are uint8 [n] or, if `one_hot`, float64 [n, 10]. Validation is the
    first `validation_size` training examples. `seed` starts the one generator that all splits draw
    from; None takes a fresh one. Fetched files are checked where `source_url` is a published one.

    Raises:
        DataError: a file is missing and cannot be fetched, or is not what it should be, or
            `validation_size` is out of range.
        TypeError: `dtype` is neither uint8 nor float32.
    """
    view = as_view(dtype, reshape, one_hot)
    if fake_data:
        fake = FakeDataSet(view)
        return DataSets(fake, fake, fake, name="fake")
    source = next((known for known in SOURCES.values() if known.url == source_url),
                  dataclasses.replace(MNIST, url=source_url, files={}))
    _check_reachable(train_dir, source)
    files: dict[Part, IdxFile] = {}
    for part, name in FILE_NAMES.items():
        path = find_file(Path(train_dir), name) or _fetch(train_dir, part, source)
        print("Extracting", os.path.join(train_dir, path.name))
        files[part] = read(part, path)
    return split(assemble(files, source), validation_size, name=source.name, seed=seed, view=view)


def _check_reachable(train_dir: str | os.PathLike[str], source: Source) -> None:
    """Refuse at once what would hang: files are missing and there is no way to the server."""
    missing = [name for name in FILE_NAMES.values() if find_file(Path(train_dir), name) is None]
    reason = missing and unreachable(source.url + FILE_NAMES["test_labels"])
    if reason:
        raise DataError(f"{missing_text(Path(train_dir), source, missing)}, and {reason}; put the "
                        "files there, or connect and run again")


def _fetch(train_dir: str | os.PathLike[str], part: Part, source: Source) -> Path:
    name = FILE_NAMES[part]
    target = Path(train_dir) / name
    size = download(source.url + name, target, source.files.get(part))
    print("Successfully downloaded", name, size, "bytes.")
    return target
