"""`load`: the data set that a configuration names. It loads that one or says why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.data.catalogue import find_source
from pipeline.data.dataset import Arrays, DataSets, split
from pipeline.data.digits import VALIDATION_SIZE, load_digits
from pipeline.data.directory import load_directory
from pipeline.data.errors import DataSettingError
from pipeline.data.prepared import load_prepared

if TYPE_CHECKING:
    from pipeline.config.schema import DatasetConfig


def load(config: DatasetConfig, cache_directory: Path, seed: int = 0) -> DataSets:
    """The examples of `config.name`: uint8 pixels and digits in IDX order, in three splits.

    Whatever the source, the arrays are bit-identical. `cache_directory` is where TFDS prepares a
    data set that is neither embedded nor in `config.directory`; nothing else is written. `seed`
    starts the order of `next_batch`.

    Raises:
        DataError: the data cannot be had as asked; nothing else is loaded instead.
    """
    arrays = _arrays(config, Path(cache_directory).expanduser())
    total = len(arrays.train_images)
    if config.validation_size >= total:
        hint = f"; digits takes {VALIDATION_SIZE}" if config.name == "digits" else ""
        raise DataSettingError(
            f"dataset.validation_size={config.validation_size}: {config.name} has {total:,} "
            f"training examples and some must be left to train on{hint}")
    return split(arrays, config.validation_size, name=config.name, seed=seed)


def _arrays(config: DatasetConfig, cache_directory: Path) -> Arrays:
    if config.name == "digits":
        if config.directory is not None:
            raise DataSettingError(
                f"dataset.directory={config.directory}: digits is built in and reads none; for "
                "IDX files say dataset=mnist dataset.directory=DIR")
        return load_digits()
    source = find_source(config.name)
    if config.directory is not None:
        return load_directory(Path(config.directory).expanduser(), source)
    return load_prepared(source, cache_directory / "tensorflow_datasets", config.cache)
