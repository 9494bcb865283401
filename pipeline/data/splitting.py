"""Three splits of what a source found: its own where it has them, the rest by a seeded draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.checking import Checked, Found, check
from pipeline.data.dataset import DataSet, DataSets, Examples, View
from pipeline.data.description import Description, Statistics
from pipeline.data.errors import DataSettingError

if TYPE_CHECKING:
    from pipeline.config.dataset import OwnSource

_AT_ONCE = 1 << 22   # numbers that are widened to float64 at a time


def divide(found: Found, config: OwnSource, seed: int) -> DataSets:
    """Training, validation and test examples, each in their source's order.

    Which ones validation and test get is drawn with `config.split_seed` alone: runs that differ in
    `seed`, which starts the order of `next_batch`, are tested on the same examples.

    Raises:
        DataError: what was found is no data set, or a split would be empty.
    """
    checked, classes = check(found, config.classes)
    random = np.random.RandomState(config.split_seed)
    train = checked["train"]
    test, validation = checked.get("test"), checked.get("validation")
    if test is None:
        train, test = _drawn(train, config.test_size, random, "test_size")
        if not len(test.pixels):
            raise DataSettingError(f"dataset.test_size={config.test_size}: leaves no examples to "
                                   "test on, and the source has none of its own")
    if validation is None:
        train, validation = _drawn(train, config.validation_size, random, "validation_size")
    shape = train.pixels.shape[1:]
    statistics = measure(train.pixels) if config.standardize else None
    description = Description((*shape, 1) if len(shape) == 2 else shape, classes, statistics)
    view, order = View(num_classes=len(classes)), np.random.RandomState(seed)
    splits = [DataSet(part.pixels, part.digits, order, view)
              for part in (train, validation, test)]
    return DataSets(splits[0], splits[1], splits[2], config.name, description)


def _drawn(
    part: Checked, size: int | float, random: np.random.RandomState, key: str
) -> tuple[Checked, Checked]:
    """What is left of a part, and what was drawn from it; both in the old order."""
    total = len(part.pixels)
    count = round(size * total) if isinstance(size, float) else size
    if count >= total:
        raise DataSettingError(f"dataset.{key}={size}: there are {total:,} examples to take them "
                               "from, and some must be left to train on")
    taken = np.zeros(total, bool)
    taken[random.permutation(total)[:count]] = True
    return (Checked(part.pixels[~taken], part.digits[~taken]),
            Checked(part.pixels[taken], part.digits[taken]))


def measure(pixels: Examples) -> Statistics:
    """Mean and deviation over all axes but that of channels or features; bytes count as 0..1.

    What never varies has the deviation 1, so that it becomes 0 and not a division by it.
    """
    scale = 1.0 / 255.0 if pixels.dtype == np.uint8 else 1.0
    width = 1 if pixels.ndim == 3 else pixels.shape[-1]
    rows = pixels.reshape(-1, width)
    starts = range(0, len(rows), step := max(1, _AT_ONCE // width))
    mean, variance = np.zeros(width), np.zeros(width)
    for at in starts:
        mean += (rows[at:at + step] * np.float64(scale)).sum(axis=0) / len(rows)
    for at in starts:
        variance += ((rows[at:at + step] * np.float64(scale) - mean) ** 2).sum(axis=0) / len(rows)
    deviation = np.sqrt(variance)
    return Statistics(np.asarray(mean, np.float32),
                      np.where(deviation > 1e-12, deviation, 1.0).astype(np.float32))
