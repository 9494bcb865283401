"""A directory with a data set's four IDX files, under any of their usual names."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from pipeline.data.catalogue import FILE_NAMES, Part, Published, Source
from pipeline.data.dataset import Arrays
from pipeline.data.errors import DataError, DataSettingError
from pipeline.data.idx import IdxFile, payload_sha256, read_images, read_labels
from pipeline.reading import open_file

_log = logging.getLogger("pipeline.data")


def load_directory(directory: Path, source: Source) -> Arrays:
    """The four files in `directory`, strictly checked, in IDX order.

    Files of another content than published are taken, and the log says so: several data sets share
    these names.

    Raises:
        DataError: files are missing, damaged, or do not belong together.
    """
    paths = find_files(directory, source)
    return assemble({part: read(part, path) for part, path in paths.items()}, source)


def read(part: Part, path: Path) -> IdxFile:
    """The file of one part: images or labels."""
    return read_images(path) if part.endswith("images") else read_labels(path)


def assemble(files: dict[Part, IdxFile], source: Source) -> Arrays:
    """The arrays of four files that belong together.

    Raises:
        DataError: a split has more images than labels, or fewer.
    """
    _check_counts(files["train_images"], files["train_labels"], "train")
    _check_counts(files["test_images"], files["test_labels"], "test")
    different = [str(file.path) for part, file in files.items()
                 if part in source.files and not is_published(file, source.files[part])]
    if different:
        _log.warning("not the published %s: %s", source.title, ", ".join(different))
    return Arrays(*(files[part].values for part in FILE_NAMES))


def find_files(directory: Path, source: Source) -> dict[Part, Path]:
    """The path of each part.

    Raises:
        DataSettingError: there is no such directory.
        DataError: at least one is missing; all missing ones are named.
    """
    if not directory.is_dir():
        found = "is a file" if directory.exists() else "does not exist"
        raise DataSettingError(f"{directory}: {found}; expected a directory with the four "
                               f"{source.title} files: {', '.join(FILE_NAMES.values())}")
    found_files = {part: find_file(directory, name) for part, name in FILE_NAMES.items()}
    missing = [FILE_NAMES[part] for part, path in found_files.items() if path is None]
    if missing:
        raise DataError(f"{missing_text(directory, source, missing)}; get them from {source.url}")
    return {part: path for part, path in found_files.items() if path is not None}


def find_published(directory: Path, source: Source) -> None:
    """Check that `directory` holds the published .gz files under their own names, as TFDS needs.

    Raises:
        DataError: one is missing or another; TFDS would go to the network for it.
    """
    missing = [name for name in FILE_NAMES.values() if not (directory / name).is_file()]
    if missing:
        raise DataError(f"{missing_text(directory, source, missing)}; get them from {source.url}")
    for part, published in source.files.items():
        path = directory / FILE_NAMES[part]
        with open_file(path) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != published.sha256:
            raise DataError(f"{path}: found sha256 {found}, expected {published.sha256}; "
                            f"TFDS takes only the published files: get it anew from {source.url}")


def missing_text(directory: Path, source: Source, missing: list[str]) -> str:
    """Which of the four files a directory lacks, in words."""
    return (f"{directory}: {len(missing)} of the 4 {source.title} files missing: "
            f"{', '.join(missing)}")


def find_file(directory: Path, name: str) -> Path | None:
    """A file by its published name, its unzipped name, or the dotted spelling of either."""
    plain = name.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    for spelling in (name, plain, f"{dotted}.gz", dotted):
        if (directory / spelling).is_file():
            return directory / spelling
    return None


def is_published(file: IdxFile, published: Published) -> bool:
    """Whether it is the published file; otherwise compressed too, where that can be told."""
    if file.sha256 == published.sha256 or published.payload_sha256 is None:
        return file.sha256 == published.sha256
    return payload_sha256(file.values) == published.payload_sha256


def _check_counts(images: IdxFile, labels: IdxFile, split: str) -> None:
    if len(images.values) != len(labels.values):
        raise DataError(
            f"{images.path}: {split} has {len(images.values):,} images but {len(labels.values):,} "
            f"labels ({labels.path.name}); the two files are not of the same data set")
