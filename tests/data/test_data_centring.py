"""Centres of mass."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.centring import MNIST_CENTRE, centre


@given(st.integers(1, 28), st.integers(1, 28), st.integers(0, 2**32 - 1))
def test_the_mass_is_as_near_to_the_middle_as_the_field_lets_it(
    height: int, width: int, seed: int
) -> None:
    levels = np.random.default_rng(seed).integers(1, 256, (2, height, width), np.uint8)
    fields = centre(levels, levels.astype(np.float64), MNIST_CENTRE)
    assert fields.shape == (2, 28, 28)
    for field, digit in zip(fields, levels, strict=True):
        assert field.sum(dtype=int) == digit.sum(dtype=int)
        for axis, size in ((1, height), (0, width)):
            middle = field.sum(axis=axis, dtype=float) @ np.arange(28) / field.sum(dtype=float)
            first = np.flatnonzero(field.any(axis=axis))[0]
            at_the_edge = first in (0, 28 - size)
            assert abs(middle - MNIST_CENTRE) <= 0.5 + 1e-9 or at_the_edge
