"""Pictures as people have them, made MNIST-shaped."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.data import DataError
from pipeline.data.idx import read_images
from pipeline.data.pictures import SUFFIXES, read_picture

MNIST = Path(__file__).resolve().parents[2] / "../shared/mnist/t10k-images-idx3-ubyte.gz"


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def drawing(side: int = 280, ink: int = 0, paper: int = 255) -> Image.Image:
    """A four: something with no symmetry, grey edges and room around it."""
    image = Image.new("L", (4 * side, 4 * side), paper)
    pen = ImageDraw.Draw(image)
    for line in ([(0.3, 0.2), (0.25, 0.55), (0.7, 0.55)], [(0.6, 0.2), (0.55, 0.85)]):
        pen.line([(x * 4 * side, y * 4 * side) for x, y in line], ink, side // 3, "curve")
    return image.resize((side, side), Image.Resampling.BOX)


EXPECTED = read_picture(encode(drawing()))


def difference(content: bytes) -> float:
    """The mean difference from the plain drawing, in grey levels."""
    return float(np.abs(read_picture(content).astype(int) - EXPECTED.astype(int)).mean())


def test_the_digit_fills_20_by_20_with_its_mass_in_the_middle() -> None:
    rows, columns = (np.flatnonzero(EXPECTED.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) == 19
    assert EXPECTED.max() == 255
    assert EXPECTED.shape == (28, 28)
    mass = EXPECTED.astype(float)
    centre = [(mass.sum(axis=axis) @ np.arange(28)) / mass.sum() for axis in (1, 0)]
    assert np.abs(np.array(centre) - 14).max() <= 0.5


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_names_a_format_that_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"four{suffix}"
    drawing().save(path)
    found = read_picture(path)
    assert np.abs(found.astype(int) - EXPECTED).mean() < 3


def deep(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def on_nothing(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    opacity = Image.fromarray(255 - np.asarray(image))
    layers = [Image.new("L", image.size, level) for level in colour]
    return Image.merge("RGBA", [*layers, opacity])


def coloured(image: Image.Image, ink: tuple[int, ...], paper: tuple[int, ...]) -> Image.Image:
    share = np.asarray(image, np.float64)[..., None] / 255
    mixed = share * np.array(paper) + (1 - share) * np.array(ink)
    return Image.fromarray(mixed.round().astype(np.uint8))


CASES: dict[str, Callable[[], bytes]] = {
    "light on dark": lambda: encode(drawing(ink=255, paper=0)),
    "grey on grey": lambda: encode(drawing(ink=90, paper=160)),
    "colours": lambda: encode(drawing().convert("RGB")),
    "red on green": lambda: encode(coloured(drawing(), (200, 30, 30), (30, 150, 30))),
    "palette": lambda: encode(drawing().convert("RGB").quantize(64)),
    "one bit": lambda: encode(drawing().convert("1", dither=Image.Dither.NONE)),
    "16 bits": lambda: encode(deep(drawing())),
    "16 bits, TIFF": lambda: encode(deep(drawing()), "TIFF"),
    "floats, TIFF": lambda: encode(
        Image.fromarray(np.asarray(drawing(), np.float32) / 7), "TIFF"),
    "integers, TIFF": lambda: encode(
        Image.fromarray(np.asarray(drawing(), np.int32) * 1000), "TIFF"),
    "CMYK, JPEG": lambda: encode(drawing().convert("CMYK"), "JPEG", quality=95),
    "black on nothing": lambda: encode(on_nothing(drawing(), (0, 0, 0))),
    "white on nothing": lambda: encode(on_nothing(drawing(), (255, 255, 255))),
    "grey and opacity": lambda: encode(on_nothing(drawing(), (0, 0, 0)).convert("LA")),
    "palette with transparent colours": lambda: encode(
        on_nothing(drawing(), (0, 0, 0)).quantize(64)),
    "opaque": lambda: encode(drawing().convert("RGBA")),
    "turned as EXIF says": lambda: encode(
        drawing().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95,
        exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"),
    "several frames": lambda: encode(
        drawing(), "GIF", save_all=True, append_images=[Image.new("L", (280, 280), 255)]),
    "large": lambda: encode(drawing(2600)),
    "small": lambda: encode(drawing(90)),
    "rough JPEG": lambda: encode(drawing(), "JPEG", quality=30),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_the_same_digit_in_other_clothes(make: Callable[[], bytes]) -> None:
    assert difference(make()) < 5


def test_a_photo_with_grain_and_uneven_light() -> None:
    random = np.random.default_rng(0)
    ink = 1 - np.asarray(drawing(), np.float64) / 255
    light = np.linspace(180, 225, 280)[None] + np.linspace(-8, 8, 280)[:, None]
    seen = light * (1 - 0.75 * ink) + random.normal(0, 5, ink.shape)
    assert difference(encode(Image.fromarray(seen.clip(0, 255).astype(np.uint8)), "JPEG")) < 8


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 100), st.integers(0, 100))
def test_where_it_stands_on_the_paper_is_of_no_importance(
    left: int, top: int, right: int, bottom: int
) -> None:
    picture = Image.new("L", (280 + left + right, 280 + top + bottom), 255)
    picture.paste(drawing(), (left, top))
    assert difference(encode(picture, compress_level=1)) == 0


@pytest.mark.skipif(not MNIST.exists(), reason="MNIST's files are not beside the checkout")
def test_mnist_s_own_digits_come_out_as_they_went_in() -> None:
    images = read_images(MNIST).values[:1000]
    changed = [index for index, image in enumerate(images)
               if not np.array_equal(read_picture(encode(Image.fromarray(image))), image)]
    assert len(changed) <= 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a picture; expected PNG, JPEG, GIF, BMP, WEBP, TIFF"),
        (b"hello", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (encode(drawing())[:900], "a damaged picture"),
        (encode(drawing(), "JPEG")[:400], "a damaged picture"),
        (encode(Image.new("L", (9, 9), 255)), "nothing is on it; expected one digit"),
        (encode(Image.new("RGBA", (9, 9), (0, 0, 0, 0))), "nothing is on it"),
        (encode(drawing(ink=250)), "nothing is on it"),
        (encode(Image.new("L", (1, 1))), "nothing is on it"),
        (encode(Image.new("1", (10_000, 10_000))), "10000 x 10000 pixels; expected at most 50,000"),
    ],
    ids=["empty", "text", "program", "cut off", "cut off JPEG", "white", "transparent", "too faint",
         "one pixel", "too large"],
)
def test_what_is_no_digit_is_told(content: bytes, words: str) -> None:
    with pytest.raises(DataError) as refused:
        read_picture(content, "upload")
    assert str(refused.value).startswith("upload: ")
    assert words in str(refused.value)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"four\.png: cannot be read .*No such file.*expected"):
        read_picture(tmp_path / "four.png")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\); expected a picture"):
        read_picture(tmp_path)


@given(st.data())
def test_no_damage_raises_anything_else(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(FORMATS)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_picture(bytes(whole[:data.draw(st.integers(1, len(whole)))]))
    except DataError:
        return
    assert found.shape == (28, 28)


FORMATS = [encode(drawing(40), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_any_picture_gives_a_field_or_nothing(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    try:
        assert read_picture(encode(Image.fromarray(noise))).max() == 255
    except DataError:
        assert np.ptp(noise) < 32, "some pixel is 16 grey levels from the border's median"
