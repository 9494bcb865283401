"""A picture of one digit, as people have them, made MNIST-shaped.

Colours become ink: how far each pixel lies from the background towards the digit's own colour, so
that dark on light, light on dark and red on green are all the same. Ink is size-normalised into
20x20, keeping its proportions and getting grey levels from anti-aliasing, and centred by its mass
as MNIST's own makers did (`centring`). All but 20 of MNIST's 70,000 digits come out exactly as they
went in.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from pipeline import budget
from pipeline.data.centring import BOX, FIELD, MNIST_CENTRE, centre
from pipeline.data.dataset import UInt8
from pipeline.data.errors import DataError, DataSettingError
from pipeline.reading import read_bytes

Floats: TypeAlias = NDArray[np.float64]

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
# Others can run programs (EPS) or are rare enough to be mistakes.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_MOST_PIXELS = 50_000_000
_BYTES_A_PIXEL = 12        # at most, while decoders work: four in the picture, and their own copies
_WORKED_ON = 1024          # pixels along the longer side; more says nothing about a digit
_FAINTEST = 16 / 255       # the least contrast, of the whole range, that is a digit
_STRIP = 1 << 20           # pixels that are converted at a time
_DEEP = {"I", "I;16", "I;16L", "I;16B", "I;16N", "F"}   # more than 8 bits a pixel

# What undoes an EXIF orientation (EXIF 2.32, tag 0x0112) in [height, width, channels].
_UPRIGHT: dict[int, Callable[[Floats], Floats]] = {
    2: lambda turned: turned[:, ::-1],
    3: lambda turned: turned[::-1, ::-1],
    4: lambda turned: turned[::-1],
    5: lambda turned: turned.swapaxes(0, 1),
    6: lambda turned: turned[::-1].swapaxes(0, 1),
    7: lambda turned: turned[::-1, ::-1].swapaxes(0, 1),
    8: lambda turned: turned[:, ::-1].swapaxes(0, 1),
}


def read_picture(source: Path | bytes, name: str | None = None) -> UInt8:
    """The digit in a PNG, JPEG, GIF, BMP, WebP or TIFF: uint8 [28, 28], ink 255.

    Args:
        source: a file, or its content.
        name: what to call it in errors; the path when not given.

    Raises:
        DataSettingError: there is no such file.
        DataError: it is no picture, it is too large, or nothing is on it.
        MemoryBudgetError: decoding it would take more than the budget of memory.
    """
    name = name or (str(source) if isinstance(source, Path) else "the picture")
    ink = _ink(_open(source, name))
    if ink is None:
        raise DataError(f"{name}: nothing is on it; expected one digit, darker or lighter than "
                        "what is around it")
    levels = _fit(ink)[None]
    field: UInt8 = centre(levels, levels.astype(np.float64), MNIST_CENTRE)[0]
    return field


def _open(source: Path | bytes, name: str) -> Floats:
    """The picture's colours, or its grey levels, from 0 to 1: [height, width, channels]."""
    content = source if isinstance(source, bytes) else _content(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")      # Pillow's, of sizes and of odd metadata
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                width, height = image.size
                if width * height <= _MOST_PIXELS:
                    budget.current().require(_BYTES_A_PIXEL * width * height, name)
                    turned = _colours(image)
                    upright = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
                    return turned if upright is None else upright(turned)
    except budget.MemoryBudgetError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"{name}: not a picture; expected {', '.join(_FORMATS)}") from None
    except Exception as error:    # decoders raise whatever they stumble over
        raise DataError(f"{name}: a damaged picture: {error}") from error
    raise DataError(f"{name}: {width} x {height} pixels; expected at most {_MOST_PIXELS:,} in all")


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as error:
        raise DataSettingError(f"{path}: cannot be read ({error.strerror}); expected a picture of "
                               "one digit") from None


def _colours(image: Image.Image) -> Floats:
    if image.mode in _DEEP:
        deep = _reduced(image, "F")[..., None]
        scale = 65535.0 if image.mode.startswith("I;16") else np.ptp(deep)
        return deep / (scale or 1.0)
    if "A" not in image.mode.upper() and "transparency" not in image.info:
        return _reduced(image, "RGB") / 255.0
    layers = _reduced(image, "RGBA") / 255.0
    return _on_ground(layers[..., :3], layers[..., 3:])


def _reduced(image: Image.Image, mode: str) -> Floats:
    """The picture in another mode, no side above `_WORKED_ON`."""
    width, height = image.size
    shrink = max(1, -(-max(image.size) // _WORKED_ON))
    rows = shrink * max(1, _STRIP // (width * shrink))
    strips = (image.crop((0, top, width, min(top + rows, height)))
              for top in range(0, height, rows))
    return np.concatenate([np.asarray(strip.convert(mode).reduce(shrink), np.float64)
                           for strip in strips])


def _on_ground(colours: Floats, opacity: Floats) -> Floats:
    """What shows through the transparent: the border's own colour, or what the digit is not."""
    border = _border(opacity)[:, 0] > 0.5
    if border.mean() > 0.5:
        ground = np.median(_border(colours)[border], axis=0)
    else:
        visible = (colours * opacity).sum() / max(3 * opacity.sum(), 1e-9)
        ground = np.full(3, 1.0 if visible < 0.5 else 0.0)
    return colours * opacity + ground * (1.0 - opacity)


def _border(picture: Floats) -> Floats:
    """The outermost pixels: [n, channels]."""
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _ink(colours: Floats) -> Floats | None:
    """How much of the digit's colour each pixel has: [height, width], or None without a digit."""
    background = np.median(_border(colours), axis=0)
    away = (colours - background) / np.sqrt(colours.shape[2])    # grey keeps its own unit
    distance = np.linalg.norm(away, axis=2)
    farthest = distance.max()
    if farthest < _FAINTEST:
        return None
    extreme = away[distance == farthest][0]
    digit = away[(distance > farthest / 2) & (away @ extreme > 0)].mean(axis=0)
    ink = away @ (digit / np.linalg.norm(digit))
    unrest = 3.0 * float(np.median(np.abs(_border(ink[..., None]))))    # grain, uneven light
    calm: Floats = np.clip(ink - min(unrest, farthest / 2), 0.0, None)
    return calm


def _fit(ink: Floats) -> UInt8:
    """Cropped to the ink and scaled to 20 pixels along the longer side, its darkest 255."""
    # At MNIST's own size faint edges are the digit's; on larger pictures compression leaves them.
    least = 0.0 if max(ink.shape) <= FIELD else 0.1 * ink.max()
    rows, columns = (np.flatnonzero((ink > least).any(axis=axis)) for axis in (1, 0))
    cropped = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    scale = BOX / max(cropped.shape)
    height, width = (max(1, round(scale * side)) for side in cropped.shape)
    fitted = np.asarray(Image.fromarray(cropped.astype(np.float32)).resize((width, height)))
    darkest = fitted.max()
    stretched = fitted.clip(0.0, None) / (1.0 if darkest > 0.99 else darkest)   # MNIST's have 254
    return np.floor(255.0 * stretched.clip(0.0, 1.0) + 0.5).astype(np.uint8)
