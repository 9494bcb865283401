"""Augmentation changes where ink lies, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import digits

from pipeline.config.schema import AugmentationConfig
from pipeline.train.augment import augment

NAMES = ["shift", "rotate", "scale", "shear", "elastic"]
LIMITS: dict[str, float] = {
    "shift": 2.0, "rotate": 10.0, "scale": 0.1, "shear": 5.0, "elastic": 0.6
}


def images(count: int = 64) -> jax.Array:
    return jnp.asarray(digits().train.pixels[:count] / np.float32(255))


@cache
def compiled(**limits: float) -> Callable[[jax.Array, jax.Array], jax.Array]:
    config = AugmentationConfig(**limits)
    return jax.jit(lambda batch, key: augment(batch, key, config))


def changed(key: int = 0, batch: jax.Array | None = None, **limits: float) -> np.ndarray:
    given = images() if batch is None else batch
    return np.asarray(compiled(**limits)(given, jax.random.key(key)))


def test_without_limits_nothing_changes() -> None:
    np.testing.assert_allclose(changed(), images(), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_each_limit_changes_something_by_itself(name: str) -> None:
    assert np.abs(changed(**{name: LIMITS[name]}) - images()).max() > 0.1


def test_the_key_decides_and_every_image_has_its_own_draw() -> None:
    first = changed(0, **LIMITS)
    np.testing.assert_array_equal(first, changed(0, **LIMITS))
    assert not np.array_equal(first, changed(1, **LIMITS))
    drawn = changed(batch=jnp.repeat(images(1), 64, axis=0), **LIMITS)
    assert len({image.tobytes() for image in drawn}) == 64


@pytest.mark.parametrize("key", range(5))
def test_grey_levels_stay_what_they_can_be(key: int) -> None:
    found = changed(key, **LIMITS)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0.0
    assert found.max() <= 1.0 + 1e-6


@pytest.mark.parametrize("key", range(5))
def test_digits_stay_inside(key: int) -> None:
    """The embedded digits have a margin of 4 pixels; the limits are those of `best`."""
    found = changed(key, **LIMITS)
    ink = found.sum(axis=(1, 2)) / np.asarray(images()).sum(axis=(1, 2))
    assert ink.min() > 0.6
    assert ink.max() < 1.6
    border = np.ones((28, 28), bool)
    border[1:-1, 1:-1] = False
    assert (found[:, border].sum(axis=1) / found.sum(axis=(1, 2))).max() < 0.06


def test_a_shift_moves_the_centre_of_mass_no_further_than_asked() -> None:
    def centres(batch: np.ndarray) -> np.ndarray:
        mass = batch.sum(axis=(1, 2))
        rows = (batch.sum(axis=2) @ np.arange(28)) / mass
        columns = (batch.sum(axis=1) @ np.arange(28)) / mass
        return np.stack([rows, columns], axis=1)

    moved = centres(changed(shift=2.0)) - centres(np.asarray(images()))
    assert np.abs(moved).max() < 2.02
    assert np.abs(moved).max() > 1.5
    assert np.abs(moved.mean(axis=0)).max() < 0.6, "shifts go both ways"


def test_a_rotation_is_one_about_the_centre() -> None:
    """A disc around the centre stays, a bar turns by no more than the limit."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    disc = np.exp(-((rows**2 + columns**2) / 16.0)).astype(np.float32)
    bar = np.exp(-(rows**2) / 4.0 - columns**2 / 60.0).astype(np.float32)
    batch = jnp.stack([jnp.asarray(disc), *[jnp.asarray(bar)] * 63])
    turned = changed(batch=batch, rotate=30.0)
    np.testing.assert_allclose(turned[0], disc, atol=0.03)
    mass = turned[1:].sum(axis=(1, 2))
    cross = (turned[1:] * rows * columns).sum(axis=(1, 2)) / mass
    spread = (turned[1:] * (columns**2 - rows**2)).sum(axis=(1, 2)) / mass
    angles = np.degrees(np.arctan2(2 * cross, spread)) / 2
    assert np.abs(angles).max() < 30.5
    assert np.abs(angles).max() > 20.0
    assert angles.min() < 0 < angles.max()
