"""`load`: the data set that a configuration names. It loads that one or says why it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.data.catalogue import SOURCES, find_source
from pipeline.data.dataset import Arrays, DataSets, split
from pipeline.data.description import MNIST_SHAPED, Description
from pipeline.data.digits import VALIDATION_SIZE, load_digits
from pipeline.data.directory import load_directory
from pipeline.data.errors import DataSettingError
from pipeline.data.prepared import load_prepared

if TYPE_CHECKING:
    from pipeline.config.dataset import DatasetConfig, PublishedConfig

_PUBLISHED = ("digits", *SOURCES)


def load(config: DatasetConfig, cache_directory: Path, seed: int = 0) -> DataSets:
    """The examples of the source that `config` names, in three splits.

    Of MNIST and its relatives the arrays are bit-identical whatever they are read from.
    `cache_directory` is where TFDS prepares a data set that is neither embedded nor in
    `config.directory`; nothing else is written. `seed` starts the order of `next_batch`.

    Raises:
        DataError: the data cannot be had as asked; nothing else is loaded instead.
    """
    if not is_published(config):
        from pipeline.data.sources import find
        from pipeline.data.splitting import divide

        return divide(find(config.name)(config), config, seed)  # type: ignore[arg-type]
    arrays = _arrays(config, Path(cache_directory).expanduser())  # type: ignore[arg-type]
    total = len(arrays.train_images)
    if config.validation_size >= total:
        hint = f"; digits takes {VALIDATION_SIZE}" if config.name == "digits" else ""
        raise DataSettingError(
            f"dataset.validation_size={config.validation_size}: {config.name} has {total:,} "
            f"training examples and some must be left to train on{hint}")
    return split(arrays, int(config.validation_size), name=config.name, seed=seed,
                 description=_published_description(config.name))


def is_published(config: DatasetConfig) -> bool:
    """Whether it is MNIST or a relative, of which all is known before they are read."""
    return config.name in _PUBLISHED


def describe(
    config: DatasetConfig, cache_directory: Path, run: Path | None = None
) -> Description:
    """What a model for these data needs to know.

    A user's own data are read for it, unless `run`, the directory of the model's run, has the
    record of what it was trained on.

    Raises:
        DataError: as `load`.
        RecordError: the run's record is damaged.
    """
    if run is not None:
        from pipeline.data.record import load_description  # late: it brings pydantic

        if (recorded := load_description(run)) is not None:
            return recorded
    if is_published(config):
        return _published_description(config.name)
    return load(config, cache_directory).description


def _published_description(name: str) -> Description:
    if name not in SOURCES:
        return MNIST_SHAPED
    return replace(MNIST_SHAPED, classes=SOURCES[name].classes)


def _arrays(config: PublishedConfig, cache_directory: Path) -> Arrays:
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
