"""`dataset=npz`: arrays that NumPy saved, in one `.npz` or as `.npy` files of a directory.

Their names say what they are: Keras's, MedMNIST's, scikit-learn's and torchvision's are known.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import budget
from pipeline.config.dataset import NpzConfig
from pipeline.data.checking import Found, Labelled
from pipeline.data.errors import DataError, DataSettingError
from pipeline.reading import open_file

Array = NDArray[Any]
# Names of examples and labels by split, the first that are there.
_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("X_train", "y_train"),
              ("images", "labels"), ("x", "y"), ("X", "y"), ("data", "target"), ("data", "labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels"), ("X_test", "y_test")),
    "validation": (("x_val", "y_val"), ("val_images", "val_labels"),
                   ("x_validation", "y_validation"), ("X_val", "y_val")),
}
_CLASSES = ("classes", "class_names", "target_names")


def load(config: NpzConfig) -> Found:
    """The arrays of `config.path`, by their names.

    Raises:
        DataError: there are none, they are damaged, or no two belong together.
        MemoryBudgetError: one takes more than the budget of memory.
    """
    path = Path(config.path).expanduser()
    if path.is_dir():
        files = {one.stem: one for one in sorted(path.glob("*.npy"))}
        return _found(path, files, lambda name: _npy(files[name]))
    if not path.is_file():
        raise DataSettingError(f"dataset.path={config.path}: does not exist; expected an .npz, or "
                               "a directory of .npy files")
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            return _found(path, names, lambda name: _member(archive, path, name))
    except zipfile.BadZipFile:
        raise DataError(f"{path}: is no .npz file, or a damaged one; save it again by "
                        "numpy.savez") from None


def _found(path: Path, names: Iterable[str], read: Callable[[str], Array]) -> Found:
    there = set(names)
    parts: dict[str, Labelled] = {}
    for split, pairs in _NAMES.items():
        for images, labels in pairs:
            if {images, labels} <= there:
                parts[split] = Labelled(read(images), read(labels), f"{path} ({images})")
                break
    if "train" not in parts:
        raise DataError(f"{path}: has the arrays {', '.join(sorted(there)) or 'none'}; expected "
                        "x_train and y_train (and x_test, y_test), or images and labels")
    classes = next((read(name) for name in _CLASSES if name in there), None)
    return Found(parts["train"], parts.get("test"), parts.get("validation"),
                 None if classes is None else [str(one) for one in classes])


def _npy(path: Path) -> Array:
    with open_file(path) as file:
        return _array(file, str(path), path.stat().st_size)


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> Array:
    where = f"{path} ({name})"
    try:
        with archive.open(f"{name}.npy") as file:
            return _array(file, where, archive.getinfo(f"{name}.npy").file_size)
    except (zipfile.BadZipFile, zipfile.zlib.error, NotImplementedError) as error:  # type: ignore[attr-defined]
        raise DataError(f"{where}: is damaged ({error}); save it again") from error


def _array(file: Any, where: str, size: int) -> Array:
    """One array, whose size is asked for before it is made; no pickled objects."""
    budget.current().require(size, where)
    try:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{where}: cannot be read as an array of numbers or texts "
                        f"({' '.join(str(error).split())[:120]}); save it again, with "
                        "allow_pickle=False") from error
    return array
