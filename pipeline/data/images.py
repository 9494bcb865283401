"""Pictures as they are, in colour or grey: decoded, upright, brought to one size.

What `pictures` does besides, finding the ink of a digit and centring it, is for MNIST-shaped data.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline import budget
from pipeline.data.dataset import UInt8
from pipeline.data.errors import DataError, DataSettingError
from pipeline.reading import read_bytes

Resize: TypeAlias = Literal["refuse", "stretch", "pad", "crop"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")    # others can run programs (EPS)
_MOST_PIXELS = 50_000_000
_BYTES_A_PIXEL = 12       # at most, while decoders work
_GREY = {"1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}


def open_image(source: Path | bytes, name: str) -> Image.Image:
    """A decoded picture, upright, of mode L or RGB; what is transparent is white.

    Raises:
        DataSettingError: there is no such file.
        DataError: it is no picture, damaged, or too large.
        MemoryBudgetError: decoding it would take more than the budget of memory.
    """
    content = source if isinstance(source, bytes) else _content(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # Pillow's, of sizes and of odd metadata
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                width, height = image.size
                if width * height <= _MOST_PIXELS:
                    budget.current().require(_BYTES_A_PIXEL * width * height, name)
                    return _flat(ImageOps.exif_transpose(image))
    except budget.MemoryBudgetError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"{name}: not a picture; expected {', '.join(_FORMATS)}") from None
    except Exception as error:    # decoders raise whatever they stumble over
        raise DataError(f"{name}: a damaged picture ({error}); replace it, or take it out"
                        ) from error
    raise DataError(f"{name}: {width} x {height} pixels; expected at most {_MOST_PIXELS:,} in all")


def to_size(image: Image.Image, size: tuple[int, int], resize: Resize, name: str) -> Image.Image:
    """The picture in `size`, height and width, by the policy: distorted, with borders, or cut.

    Raises:
        DataError: it has another size and the policy is to refuse.
    """
    height, width = size
    if image.size == (width, height):
        return image
    if resize == "refuse":
        raise DataError(
            f"{name}: is {image.height} x {image.width} pixels (height x width), expected {height} "
            f"x {width}; say dataset.size=[{height},{width}] and dataset.resize=stretch, pad or "
            "crop to bring all pictures to that size")
    if resize == "stretch":
        return image.resize((width, height), Image.Resampling.BILINEAR)
    if resize == "pad":
        return ImageOps.pad(image, (width, height), Image.Resampling.BILINEAR)
    return ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)


def read_image(source: Path | bytes, name: str, shape: tuple[int, ...], resize: Resize) -> UInt8:
    """A picture as a model for examples of `shape` takes it: uint8 [height, width, channels].

    Raises:
        DataError: as `open_image` and `to_size`; or the model takes no pictures.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise DataSettingError(f"{name}: the model takes examples of shape {list(shape)}, which "
                               "are no pictures in grey or colour")
    image = to_size(open_image(source, name), (shape[0], shape[1]), resize, name)
    return pixels_of(image, shape[2])


def pixels_of(image: Image.Image, channels: int) -> UInt8:
    """uint8 [height, width, channels]: grey levels for 1, red, green, blue for 3."""
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"), np.uint8)
    return pixels.reshape(*pixels.shape[:2], channels)


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as error:
        raise DataSettingError(f"{path}: cannot be read ({error.strerror}); expected a picture"
                               ) from None


def _flat(image: Image.Image) -> Image.Image:
    if image.mode in _GREY - {"1", "L", "LA"}:     # more than 8 bits a pixel
        deep = np.asarray(image, np.float64)
        top = 65535.0 if image.mode.startswith("I") else float(np.ptp(deep)) or 1.0
        return Image.fromarray(np.clip(255.0 * deep / top, 0, 255).astype(np.uint8))
    mode = "L" if image.mode in _GREY else "RGB"
    if "A" in image.mode or "transparency" in image.info:
        layers = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layers).convert(mode)
    return image.convert(mode)
