"""A directory with a data set's four IDX files, under any of their usual names."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.data.catalogue import FILE_NAMES, Part, Source
from pipeline.data.dataset import Arrays
from pipeline.data.errors import DataError
from pipeline.data.idx import IdxFile, read_images, read_labels

_log = logging.getLogger("pipeline.data")


def load_directory(directory: Path, source: Source) -> Arrays:
    """The four files in `directory`, strictly checked, in IDX order.

    Files of another content than published are taken, and the log says so: several data sets share
    these names.

    Raises:
        DataError: files are missing, damaged, or do not belong together.
    """
    paths = find_files(directory, source)
    files: dict[Part, IdxFile] = {
        part: (read_images if part.endswith("images") else read_labels)(path)
        for part, path in paths.items()
    }
    _check_counts(files["train_images"], files["train_labels"], "train")
    _check_counts(files["test_images"], files["test_labels"], "test")
    different = [file.path.name for part, file in files.items() if not is_published(file, part, source)]
    if different:
        _log.warning("%s: not the published %s: %s", directory, source.title, ", ".join(different))
    return Arrays(*(files[part].values for part in FILE_NAMES))


def find_files(directory: Path, source: Source) -> dict[Part, Path]:
    """The path of each part.

    Raises:
        DataError: at least one is missing; all missing ones are named.
    """
    if not directory.is_dir():
        found = "is a file" if directory.exists() else "does not exist"
        raise DataError(f"{directory}: {found}; expected a directory with the four {source.title} "
                        f"files: {', '.join(FILE_NAMES.values())}")
    found_files = {part: find_file(directory, name) for part, name in FILE_NAMES.items()}
    missing = [FILE_NAMES[part] for part, path in found_files.items() if path is None]
    if missing:
        raise DataError(f"{directory}: {len(missing)} of the 4 {source.title} files missing: "
                        f"{', '.join(missing)}; get them from {source.url}")
    return {part: path for part, path in found_files.items() if path is not None}


def find_file(directory: Path, name: str) -> Path | None:
    """A file by its published name, its unzipped name, or the dotted spelling of either."""
    plain = name.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    for spelling in (name, plain, f"{dotted}.gz", dotted):
        if (directory / spelling).is_file():
            return directory / spelling
    return None


def is_published(file: IdxFile, part: Part, source: Source) -> bool:
    """Whether the file is the published one, however it is compressed where that can be told."""
    published = source.files[part]
    if file.sha256 == published.sha256:
        return True
    return published.payload_sha256 is not None and file.payload_sha256() == published.payload_sha256


def _check_counts(images: IdxFile, labels: IdxFile, split: str) -> None:
    if len(images.values) != len(labels.values):
        raise DataError(
            f"{images.path}: {split} has {len(images.values):,} images but {len(labels.values):,} "
            f"labels ({labels.path.name}); the two files are not of the same data set")
