"""`dataset=folder`: pictures, a folder a class, or `train/`, `test/` (and `validation/`) above.

    DIR/cat/1.png   DIR/dog/a.jpg           or        DIR/train/cat/1.png   DIR/test/cat/2.png

Examples stand in the order of their classes' names, then of their files'. Hidden files are passed
over; any other file that is no picture is refused, for it may be one that was meant to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline import budget
from pipeline.config.dataset import FolderConfig
from pipeline.data.checking import Found, Labelled
from pipeline.data.errors import DataError, DataSettingError
from pipeline.data.images import SUFFIXES, open_image, pixels_of, to_size
from pipeline.data.progress import progress

_SPLITS = ("train", "test", "validation")
_AT_ONCE = 64    # pictures that are decoded beside each other


def load(config: FolderConfig) -> Found:
    """All pictures below `config.directory`, uint8 [n, height, width, channels].

    Raises:
        DataError: there are none, one is damaged, or sizes differ and no policy was chosen.
        MemoryBudgetError: together they take more than the budget of memory.
    """
    directory = Path(config.directory).expanduser()
    if not directory.is_dir():
        found = "is a file" if directory.exists() else "does not exist"
        raise DataSettingError(f"dataset.directory={config.directory}: {found}; expected a "
                               "directory with one folder of pictures a class")
    parts = {name: directory / name for name in _SPLITS if (directory / name).is_dir()}
    if "train" not in parts or not any(one.is_dir() for one in parts["train"].iterdir()):
        parts = {"train": directory}
    classes = _classes(parts)
    files = {name: _files(part, classes) for name, part in parts.items()}
    size, channels = _common(config, [path for part in files.values() for path, _ in part])
    loaded = {name: _load(parts[name], part, size, channels, config)
              for name, part in files.items()}
    return Found(loaded["train"], loaded.get("test"), loaded.get("validation"), classes)


def _classes(parts: dict[str, Path]) -> list[str]:
    """The names of the folders, the same in every part."""
    names = {name: sorted(one.name for one in part.iterdir()
                          if one.is_dir() and not one.name.startswith("."))
             for name, part in parts.items()}
    for name, found in names.items():
        unknown = sorted(set(found) - set(names["train"]))
        if unknown:
            raise DataError(f"{parts[name]}: has the classes {', '.join(unknown)}, which "
                            f"{parts['train']} has not; name folders alike in both")
    if len(names["train"]) < 2:
        raise DataError(f"{parts['train']}: {len(names['train'])} folders; expected one for each "
                        "of at least two classes, with its pictures inside")
    return names["train"]


def _files(part: Path, classes: Sequence[str]) -> list[tuple[Path, int]]:
    found: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        folder = part / name
        if not folder.is_dir():
            continue
        paths = sorted(one for one in folder.rglob("*")
                       if not one.name.startswith(".") and not one.is_dir())
        strange = [one for one in paths if one.suffix.lower() not in SUFFIXES]
        if strange:
            raise DataError(f"{strange[0]}: no picture by its name ({len(strange):,} such files); "
                            f"expected {', '.join(SUFFIXES)}: take it out of the folder")
        if not paths:
            raise DataError(f"{folder}: no pictures; every class needs some: add them, or remove "
                            "the folder")
        found += [(path, label) for path in paths]
    return found


def _common(config: FolderConfig, paths: Sequence[Path]) -> tuple[tuple[int, int], int]:
    """The size that all pictures get, and their channels."""
    channels = {"grey": 1, "colour": 3}.get(config.channels)
    if config.size is not None and channels is not None:
        return (config.size[0], config.size[1]), channels
    first = open_image(paths[0], str(paths[0]))
    size = tuple(config.size) if config.size is not None else (first.height, first.width)
    if channels is None:
        colours = (open_image(path, str(path)).mode != "L" for path in paths)
        channels = 3 if first.mode != "L" or any(colours) else 1
    return (size[0], size[1]), channels


def _load(
    part: Path, files: Sequence[tuple[Path, int]], size: tuple[int, int], channels: int,
    config: FolderConfig,
) -> Labelled:
    shape = (len(files), *size, channels)
    budget.current().require(int(np.prod(shape, dtype=np.int64)), f"{part}: {len(files):,} "
                             f"pictures of {size[0]} x {size[1]}")
    images = np.empty(shape, np.uint8)
    read = partial(_read, size=size, channels=channels, config=config)
    with (ThreadPoolExecutor() as threads,
          progress(f"Reading {part.name}", len(files), in_bytes=False) as advance):
        for at in range(0, len(files), _AT_ONCE):
            some = [path for path, _ in files[at:at + _AT_ONCE]]
            images[at:at + len(some)] = list(threads.map(read, some))
            advance(len(some))
    return Labelled(images, np.array([label for _, label in files]), str(part))


def _read(
    path: Path, size: tuple[int, int], channels: int, config: FolderConfig
) -> NDArray[np.uint8]:
    image: Image.Image = open_image(path, str(path))
    return pixels_of(to_size(image, size, config.resize, str(path)), channels)
