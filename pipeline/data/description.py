"""What is known of a data set besides its examples: all that a model is made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Statistics(NamedTuple):
    """Mean and standard deviation of the training split, float32 [channels] or [features].

    Of bytes they are those of 0..1, as models are given them.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


@dataclass(frozen=True)
class Description:
    """Everything that a model needs to know of the data it is made for.

    Attributes:
        shape: of one example: (height, width, channels), or (features,).
        classes: their names, by label.
        statistics: to standardize by, where the configuration asks for that.
        drawn: an example is a digit or sign as MNIST has them, [28, 28] of ink, and pictures of one
            are made such: found, centred, light on dark.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]
    statistics: Statistics | None = None
    drawn: bool = False

    @property
    def num_classes(self) -> int:
        """How many there are."""
        return len(self.classes)

    @property
    def is_numbered(self) -> bool:
        """Whether the classes have no names but their numbers."""
        return self.classes == numbered(len(self.classes))


def numbered(count: int) -> tuple[str, ...]:
    """The names of classes that have none: "0", "1", …"""
    return tuple(map(str, range(count)))


MNIST_SHAPED = Description((28, 28, 1), numbered(10), drawn=True)
