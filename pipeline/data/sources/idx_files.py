"""`dataset=idx`: MNIST's four files, or the two for training, with images of any size."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.dataset import IdxConfig
from pipeline.data.catalogue import FILE_NAMES
from pipeline.data.checking import Found, Labelled
from pipeline.data.directory import find_file
from pipeline.data.errors import DataError, DataSettingError
from pipeline.data.idx import read_any_images, read_any_labels


def load(config: IdxConfig) -> Found:
    """The files in `config.directory`: uint8 [n, height, width], or with channels last.

    Raises:
        DataError: files are missing or damaged.
        MemoryBudgetError: one announces more than the budget of memory.
    """
    directory = Path(config.directory).expanduser()
    if not directory.is_dir():
        found = "is a file" if directory.exists() else "does not exist"
        raise DataSettingError(f"dataset.directory={config.directory}: {found}; expected a "
                               f"directory with {', '.join(FILE_NAMES.values())}")
    paths = {part: find_file(directory, name) for part, name in FILE_NAMES.items()}
    train = _part(directory, paths["train_images"], paths["train_labels"], "train")
    if train is None:
        raise DataError(f"{directory}: {FILE_NAMES['train_images']} and "
                        f"{FILE_NAMES['train_labels']} are missing")
    return Found(train, _part(directory, paths["test_images"], paths["test_labels"], "t10k"))


def _part(
    directory: Path, images: Path | None, labels: Path | None, name: str
) -> Labelled | None:
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        lacking = "images" if images is None else "labels"
        raise DataError(f"{directory}: the {lacking} of {name} are missing beside the other file; "
                        "add them, or take that away too")
    return Labelled(read_any_images(images).values, read_any_labels(labels).values, str(images))
