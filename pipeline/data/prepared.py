"""Data sets through tensorflow-datasets: prepared once, read back in IDX order, kept as one file.

    <data_directory>/downloads/<name>/     the four .gz files, when they had to be fetched
    <data_directory>/<name>/3.0.1/         what TFDS prepared: array_record files and their index
    <data_directory>/<name>-<key>.npz      the arrays in IDX order; TFDS is not imported for it

Of TFDS's formats only array_record serves: tfrecord needs TensorFlow, and TFDS 4.9.10 loses rows
without a word when it writes parquet. TFDS and what it needs are imported when first called for.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data import array_cache, idx
from pipeline.data.catalogue import FILE_NAMES, Source, find_source
from pipeline.data.dataset import Arrays, UInt8
from pipeline.data.directory import find_published
from pipeline.data.download import download, unreachable
from pipeline.data.errors import DataError
from pipeline.data.order import record_order
from pipeline.data.progress import progress
from pipeline.logs import errors_only

_BATCH = 2000   # records in one read: array_record decodes a chunk once per read
_FORMAT = "array_record"
_log = logging.getLogger("pipeline.data")


def load_prepared(source: Source, data_directory: Path, cache: bool = True) -> Arrays:
    """The arrays of `source` in IDX order, prepared first when `data_directory` has none.

    `cache` keeps them beside the prepared data as one file and reads that one from then on.

    Raises:
        DataError: they are not there and cannot be fetched, or what is there is damaged.
    """
    if cache and (kept := array_cache.load(source, data_directory)) is not None:
        return kept
    builder = prepare(source, data_directory, None)
    arrays = _read(builder, source)
    if cache:
        array_cache.save(arrays, source, data_directory)
    return arrays


def prepare_tfds(name: str, data_directory: Path, manual_directory: Path | None = None) -> Path:
    """Prepare `mnist`, `fashion_mnist` or `kmnist` for TFDS; the directory of the prepared data.

    With `manual_directory`, from the published four .gz files in it and without network; otherwise
    they are fetched. Does nothing when the data are prepared already. Stock TFDS reads the result:
    `tfds.data_source(name, data_dir=data_directory, download=False)`.

    Raises:
        DataError: the name is unknown, a file is missing or not the published one, there is no
            network, or TFDS fails.
    """
    manual = manual_directory and Path(manual_directory).expanduser()
    builder = prepare(find_source(name), Path(data_directory).expanduser(), manual)
    return Path(builder.data_dir)


def prepare(source: Source, data_directory: Path, manual_directory: Path | None) -> Any:
    """A TFDS builder whose data are prepared as array_record; as `prepare_tfds`."""
    with _tfds(data_directory / source.name):
        from pipeline.data import tfds_builder

        builder = tfds_builder.builder(source, data_directory)
        if not builder.is_prepared():
            _refuse_unfinished(builder)
            files = manual_directory or _fetch(source, data_directory)
            find_published(files, source)
            _prepare(builder, files)
            builder = tfds_builder.builder(source, data_directory)
        found = builder.info.file_format.value
    if found != _FORMAT:
        raise DataError(f"{builder.data_dir}: prepared as {found}, which cannot be read without "
                        f"TensorFlow; expected {_FORMAT}: choose another runtime.cache_directory")
    return builder


def _prepare(builder: Any, files: Path) -> None:
    import tensorflow_datasets as tfds

    _log.info("preparing %s in %s", builder.name, builder.data_dir)
    tfds.disable_progress_bar()   # ours is in the builder
    try:
        builder.download_and_prepare(
            file_format=_FORMAT, download_config=tfds.download.DownloadConfig(manual_dir=files))
    except OSError:   # another process was first: its result is as good
        if not builder.is_prepared():
            raise
    finally:
        tfds.enable_progress_bar()


def _fetch(source: Source, data_directory: Path) -> Path:
    """The directory of the four files, those missing fetched."""
    directory = data_directory / "downloads" / source.name
    missing = {part: name for part, name in FILE_NAMES.items() if not (directory / name).is_file()}
    if missing and (reason := unreachable(source.url + FILE_NAMES["test_labels"])):
        raise DataError(
            f"{source.title} is not in {data_directory} and cannot be downloaded: {reason}. "
            f"Options: dataset=digits (built in), dataset={source.name} dataset.directory=DIR "
            "(with the four IDX files in DIR), or connect and run again")
    for part, name in missing.items():
        download(source.url + name, directory / name, source.files.get(part))
    return directory


def _refuse_unfinished(builder: Any) -> None:
    """TFDS takes an existing version directory for a prepared one and does nothing for ever."""
    # In this order: another process may put the finished directory in place meanwhile.
    if Path(builder.data_dir).exists() and not builder.is_prepared():
        raise DataError(f"{builder.data_dir}: exists but holds no finished data set; delete it and "
                        "run again")


def _read(builder: Any, source: Source) -> Arrays:
    with _tfds(Path(builder.data_dir)):
        parts = {split: _read_split(builder, split) for split in ("train", "test")}
    arrays = Arrays(*parts["train"], *parts["test"])
    for part, values in zip(FILE_NAMES, arrays, strict=True):
        published = source.files[part]
        if published.payload_sha256 not in (None, idx.payload_sha256(values)):
            raise DataError(f"{builder.data_dir}: {part} is not what was published as "
                            f"{source.title}; delete the directory and run again")
    return arrays


def _read_split(builder: Any, split: str) -> tuple[UInt8, UInt8]:
    """uint8 images [n, 28, 28] and labels [n] of one split, put back into IDX order."""
    records = builder.as_data_source(split)
    count = builder.info.splits[split].num_examples
    if len(records) != count:
        raise DataError(f"{builder.data_dir}: {split} has {len(records):,} records, its index says "
                        f"{count:,}; delete the directory and run again")
    images, labels = np.empty((count, 28, 28), np.uint8), np.empty(count, np.uint8)
    order = record_order(split, count)
    with progress(f"Reading {builder.name} {split}", count, in_bytes=False) as advance:
        for start in range(0, count, _BATCH):
            places = order[start:start + _BATCH]
            batch = records.__getitems__(range(start, start + len(places)))
            images[places] = np.stack([record["image"][:, :, 0] for record in batch])
            labels[places] = [record["label"] for record in batch]
            advance(len(places))
    return images, labels


@contextlib.contextmanager
def _tfds(place: Path) -> Iterator[None]:
    """TFDS at work on `place`: without its prints and log lines, and with one kind of error.

    What it raises is of many kinds, some of them not exported; each becomes a DataError.
    """
    try:
        with errors_only("absl"), contextlib.redirect_stdout(io.StringIO()) as said:
            yield
        _log.debug("tensorflow-datasets: %s", said.getvalue())
    except DataError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"{place}: tensorflow-datasets fails with {type(error).__name__}: "
                        f"{reason}; if it does so again, delete the directory") from error
