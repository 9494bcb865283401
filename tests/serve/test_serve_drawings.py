"""Histograms and pictures of weights."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from pipeline.serve.histogram import histogram, sparkline
from pipeline.serve.weights import full_scale, picture, unit_pictures


@pytest.mark.parametrize(
    "values",
    [np.zeros((3, 4)), np.array(5.0), np.zeros(0), np.array([np.nan, np.inf]),
     np.array([1.0, np.nan, 3.0]), np.arange(5), np.array([1e-30, 1e30]),
     np.array([-3e38, 3e38], np.float32), np.array([True, False])],
    ids=["zeros", "scalar", "empty", "not finite", "partly", "integers", "wide", "extreme", "bool"],
)
def test_every_finite_value_is_counted_once(values: np.ndarray) -> None:
    drawn = histogram(values, "layer/<weights>")
    counts = [int(found.replace(",", "")) for found in re.findall(r": ([\d,]+)</title>", drawn)]
    assert sum(counts) == np.isfinite(np.asarray(values, np.float64)).sum()
    assert "nan" not in drawn.lower()
    assert "<weights>" not in drawn
    assert all(float(width) > 0 for width in re.findall(r'width="([^"]+)"', drawn))
    assert "nan" not in sparkline(values).lower()


def test_units_of_dense_and_convolutional_first_layers() -> None:
    dense = np.arange(784 * 3, dtype=np.float32).reshape(784, 3)
    units = unit_pictures(dense)
    assert units is not None
    assert units.shape == (3, 28, 28)
    assert units[1, 2, 5] == dense[2 * 28 + 5, 1]
    kernels = np.arange(5 * 4 * 6, dtype=np.float32).reshape(5, 4, 1, 6)
    units = unit_pictures(kernels)
    assert units is not None
    assert units.shape == (6, 5, 4)
    assert units[2, 3, 1] == kernels[3, 1, 0, 2]
    assert unit_pictures(np.zeros((500, 10))) is None
    assert unit_pictures(np.zeros((3, 3, 16, 32))) is None
    assert unit_pictures(np.zeros(784)) is None


def test_a_picture_is_blue_where_positive_red_where_negative_and_nothing_at_zero() -> None:
    drawn = picture(np.array([[1.0, -0.5], [0.0, np.nan]]), 1.0, 7)
    source = re.search(r'src="data:image/png;base64,([^"]+)"', drawn)
    assert source is not None
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(source[1]))))
    assert pixels.shape == (2, 2, 4)
    assert pixels[..., 3].tolist() == [[255, 127], [0, 0]]
    assert pixels[0, 0, 2] > pixels[0, 0, 0]
    assert pixels[0, 1, 0] > pixels[0, 1, 2]
    assert "weights of unit 7" in drawn


def test_the_scale_is_positive_whatever_the_weights() -> None:
    assert full_scale(np.zeros((2, 28, 28))) == 1.0
    assert full_scale(np.full((2, 28, 28), np.nan)) == 1.0
    assert full_scale(np.full((2, 28, 28), -2.0)) == 2.0
