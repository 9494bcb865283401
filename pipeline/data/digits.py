"""The embedded data set: 1,797 handwritten digits of 8x8, made MNIST-shaped when loaded.

The digits are UCI's "Optical Recognition of Handwritten Digits" (test part), whose licence and
origin lie in `embedded/`. Enlarging is done here, in float64 and NumPy alone, so that every machine
gets the same grey levels: cubic to 20x20, more contrast, centre of mass in the middle of 28x28 as
MNIST has it. Of the ways tried, this one brought a model trained on real MNIST closest to its MNIST
accuracy (docs/data.md).
"""

from __future__ import annotations

import logging
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from pipeline.data.centring import BOX, centre
from pipeline.data.dataset import Arrays, UInt8

TRAIN_EXAMPLES = 1437   # the file's first; its last 360 are the test split
VALIDATION_SIZE = 137   # of the 1437: MNIST's 5000 of 60000, in proportion and in place
FILE = "optical_digits.npz"

_SMALL = 8
_CENTRE = 13.5            # of mass, half a pixel before MNIST's own
_log = logging.getLogger("pipeline.data")


def load_digits() -> Arrays:
    """The embedded digits: uint8 images [1437, 28, 28] and [360, 28, 28] with their labels."""
    _log.warning(
        "digits is no substitute for MNIST: %s training examples, enlarged from 8x8; a model "
        "trained on them gets about 50 %% of MNIST's test images right. For MNIST: dataset=mnist",
        f"{TRAIN_EXAMPLES:,}")
    small, labels = embedded()
    images = enlarge(small)
    return Arrays(images[:TRAIN_EXAMPLES], labels[:TRAIN_EXAMPLES],
                  images[TRAIN_EXAMPLES:], labels[TRAIN_EXAMPLES:])


def embedded() -> tuple[UInt8, UInt8]:
    """The digits as published: uint8 images [1797, 8, 8] with values 0 to 16, and labels [1797]."""
    path = resources.files("pipeline.data").joinpath("embedded", FILE)
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]


def enlarge(small: UInt8) -> UInt8:
    """8x8 images with values 0 to 16 as uint8 [n, 28, 28], like MNIST's in size and place."""
    cubic = _cubic_weights(_SMALL, BOX)
    grey = cubic @ (small / 16.0) @ cubic.T
    grey = np.clip((grey - 0.25) * 2.0, 0.0, 1.0)  # contrast
    # The 1e-6 lifts exact ties off the fence, where two BLAS libraries could round differently.
    levels = np.floor(255.0 * grey + 0.5 + 1e-6).astype(np.uint8)
    return centre(levels, grey, _CENTRE)


def _cubic_weights(size: int, larger: int) -> NDArray[np.float64]:
    """Catmull-Rom interpolation as a matrix [larger, size]: pixel centres at halves, 0 outside."""
    weights = np.zeros((larger, size))
    places = (np.arange(larger) + 0.5) * size / larger - 0.5
    for row, place in enumerate(places):
        first = int(np.floor(place)) - 1
        for source in range(max(first, 0), min(first + 4, size)):
            weights[row, source] = _catmull_rom(abs(place - source))
    return weights


def _catmull_rom(distance: float) -> float:
    """The cubic convolution kernel with a = -1/2 (R. Keys 1981, equation 15)."""
    if distance < 1.0:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1.0
    return -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
