"""The hand-written gradient against JAX's own."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
import pytest
from jax import lax

from pipeline.model.convolution import conv2d

SHAPES = [((7, 6), (3, 3)), ((8, 8), (4, 2)), ((5, 9), (1, 1)), ((6, 6), (5, 5))]


@pytest.mark.parametrize(
    ("shapes", "strides", "padding"),
    list(itertools.product(SHAPES, [(1, 1), (2, 2), (3, 1)], ["SAME", "VALID"])),
)
def test_gradients_equal_those_of_jax(
    shapes: tuple[tuple[int, int], tuple[int, int]], strides: tuple[int, int], padding: str
) -> None:
    size, kernel = shapes
    keys = jax.random.split(jax.random.key(0), 2)
    images = jax.random.normal(keys[0], (2, *size, 3))
    weights = jax.random.normal(keys[1], (*kernel, 3, 4))

    def plain(images: Any, weights: Any) -> Any:
        return lax.conv_general_dilated(
            images, weights, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def ours(images: Any, weights: Any) -> Any:
        return conv2d(images, weights, strides, padding)

    expected, pull_expected = jax.vjp(plain, images, weights)
    found, pull_found = jax.vjp(ours, images, weights)
    np.testing.assert_array_equal(found, expected)
    gradient = jax.random.normal(keys[0], expected.shape)
    for mine, theirs in zip(pull_found(gradient), pull_expected(gradient), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)
