"""A digit's place in MNIST's field: 28x28, the centre of mass of its ink in the middle.

MNIST's digits were size-normalised to fit into 20x20 and then moved so that their centre of mass
lies in the centre of 28x28 (Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.dataset import UInt8

BOX, FIELD = 20, 28
# Of all 70,000 digits of MNIST the centre of mass lies between 13.5 and 14.5, counted from the
# middle of the first pixel.
MNIST_CENTRE = 14.0


def centre(levels: UInt8, mass: NDArray[np.float64], middle: float) -> UInt8:
    """Digits [n, height, width] of at most 28x28 in fields of their own, uint8 [n, 28, 28].

    Args:
        levels: grey levels, ink 255.
        mass: float [n, height, width], what the centre is of; not all zero for any digit.
        middle: where the centre of mass is to lie, in both directions.
    """
    height, width = levels.shape[1:]
    fields = np.zeros((len(levels), FIELD, FIELD), np.uint8)
    for field, digit, (top, left) in zip(fields, levels, _offsets(mass, middle), strict=True):
        field[top:top + height, left:left + width] = digit
    return fields


def _offsets(mass: NDArray[np.float64], middle: float) -> NDArray[np.int64]:
    """Where each digit goes so that its centre of mass comes nearest to the middle: [n, 2]."""
    height, width = mass.shape[1:]
    whole = mass.sum(axis=(1, 2))
    centres = np.stack([mass.sum(axis=2) @ np.arange(height),
                        mass.sum(axis=1) @ np.arange(width)], axis=1)
    wanted = middle - centres / whole[:, None]
    nearest: NDArray[np.int64] = np.floor(wanted + 0.5).astype(np.int64)
    return nearest.clip(0, (FIELD - height, FIELD - width))
