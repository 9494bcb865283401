"""Random changes of training images that leave the digit what it is, made on the device.

Every image is resampled once, through the sum of an affine map and a smooth elastic displacement
(Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", ICDAR 2003).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pipeline.config.schema import AugmentationConfig

_GRID = 5  # control points of the elastic field along each axis


def augment(images: jax.Array, key: jax.Array, config: AugmentationConfig) -> jax.Array:
    """Images changed at random, each by its own draw.

    Args:
        images: float32 [batch, height, width] or [batch, height, width, channels] in 0..1.
        key: a random key; the same key gives the same images.
        config: bounds of the changes, in pixels, degrees and fractions.
    """
    height, width = images.shape[1:3]
    affine_key, elastic_key = jax.random.split(key)
    sources = _affine(affine_key, len(images), height, width, config)
    if config.elastic:
        sources += _elastic(elastic_key, len(images), height, width, config.elastic)
    if config.flip:   # a key of its own: the other draws stay what they are without it
        flipped = jax.random.bernoulli(jax.random.fold_in(key, 2), shape=[len(images)])
        sources = sources.at[:, 1].set(jnp.where(
            flipped[:, None, None], width - 1 - sources[:, 1], sources[:, 1]))
    sample = _sample if images.ndim == 3 else jax.vmap(_sample, in_axes=(2, None), out_axes=2)
    return jax.vmap(sample)(images, sources)


def _affine(
    key: jax.Array, count: int, height: int, width: int, config: AugmentationConfig
) -> jax.Array:
    """Where each target pixel comes from: float32 [count, 2, height, width]."""
    draw = jax.random.uniform(key, (6, count), minval=-1.0, maxval=1.0)
    angle = jnp.deg2rad(config.rotate) * draw[0]
    shear = jnp.deg2rad(config.shear) * draw[1]
    zoom = 1.0 + config.scale * draw[2:4]
    shift = config.shift * draw[4:6]
    matrix = jnp.stack([
        jnp.stack([jnp.cos(angle) * zoom[0], -jnp.sin(angle + shear) * zoom[1]]),
        jnp.stack([jnp.sin(angle) * zoom[0], jnp.cos(angle + shear) * zoom[1]]),
    ])
    centre = jnp.array([(height - 1) / 2, (width - 1) / 2], jnp.float32)
    grid = jnp.stack(jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij"))
    centred = grid.reshape(2, -1) - centre[:, None]
    sources = jnp.einsum("ijn,jp->nip", matrix, centred) + (centre[:, None] + shift).T[:, :, None]
    return jnp.reshape(sources, (count, 2, height, width))


def _elastic(key: jax.Array, count: int, height: int, width: int, amplitude: float) -> jax.Array:
    """A smooth random displacement in pixels: float32 [count, 2, height, width]."""
    control = jax.random.normal(key, (count, 2, _GRID, _GRID)) * amplitude
    field: jax.Array = jax.image.resize(control, (count, 2, height, width), method="cubic")
    return field


def _sample(image: jax.Array, sources: jax.Array) -> jax.Array:
    """Bilinear look-up; black beyond the edge."""
    sampled: jax.Array = jax.scipy.ndimage.map_coordinates(
        image, list(sources), order=1, mode="constant"
    )
    return sampled
