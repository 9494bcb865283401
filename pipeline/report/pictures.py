"""Examples as pictures inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from pipeline.data.dataset import Examples

_LARGEST = 128       # pixels along a side that are shown
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def data_uri(pixels: Examples) -> str:
    """A picture as a PNG's data URI, as `picture` draws it."""
    return png_uri(picture(pixels))


def picture(pixels: Examples) -> Image.Image:
    """One example: [height, width] is ink, drawn black on white; with channels it is as it is.

    Floats are stretched from the smallest to the largest; of channels that are no colours the first
    is drawn. Sides above 128 pixels are reduced to that.
    """
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = (255.0 * (pixels - low) / ((high - low) or 1.0)).astype(np.uint8)
    if pixels.ndim == 2:
        image = Image.fromarray(255 - pixels)
    else:
        mode = _MODES.get(pixels.shape[2], "L")
        image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode)
    image.thumbnail((_LARGEST, _LARGEST))
    return image


def png_uri(image: Image.Image) -> str:
    """Any picture as a PNG's data URI."""
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
