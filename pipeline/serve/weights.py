"""What units that look at the picture look for: their weights as pictures.

Blue is positive, red negative, and what is transparent is zero, so that pictures stand on a light
page as well as on a dark one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.report.markup import Markup, tag
from pipeline.report.pictures import png_uri

_SIDE = 28
_POSITIVE, _NEGATIVE = (58, 116, 214), (214, 76, 52)
_FULL = 99.5    # percentile of the magnitudes that is drawn opaque; the few larger ones are too


def unit_pictures(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """The weights of a first layer by unit: [units, height, width]; None for what is none.

    Dense weights over all pixels are [784, units], kernels [height, width, 1, filters].
    """
    if values.ndim == 2 and values.shape[0] == _SIDE * _SIDE:
        return values.T.reshape(-1, _SIDE, _SIDE).astype(np.float64)
    if values.ndim == 4 and values.shape[2] == 1:
        return values[:, :, 0].transpose(2, 0, 1).astype(np.float64)
    return None


def full_scale(pictures: NDArray[np.float64]) -> float:
    """The magnitude that is drawn opaque, the same for all units; positive."""
    magnitudes = np.abs(pictures[np.isfinite(pictures)])
    return float(np.percentile(magnitudes, _FULL)) or 1.0 if magnitudes.size else 1.0


def picture(weights: NDArray[np.float64], scale: float, unit: int) -> Markup:
    """One unit's weights [height, width] as a figure."""
    known = np.nan_to_num(weights, nan=0.0)
    colours = np.where((known > 0)[..., None], _POSITIVE, _NEGATIVE)
    opacity = np.clip(np.abs(known) / scale, 0, 1)[..., None] * 255
    drawn = np.concatenate([colours, opacity], axis=2).astype(np.uint8)
    height, width = weights.shape
    return tag("figure",
               tag("img", src=png_uri(Image.fromarray(drawn)), alt=f"weights of unit {unit}",
                   width=width, height=height),
               tag("figcaption", tag("small", str(unit))))
