"""Digits as pictures inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """A grey picture [height, width] as a PNG's data URI, ink (255) drawn black on white."""
    return png_uri(Image.fromarray(255 - pixels))


def png_uri(image: Image.Image) -> str:
    """Any picture as a PNG's data URI."""
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
