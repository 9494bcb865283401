"""Two-dimensional convolution whose gradient stays fast inside a compiled loop.

XLA's CPU compiler runs a convolution by a fast kernel only in one layout: the batch first, the
features last, the kernel as height, width, in, out. JAX's own gradient asks for two other layouts.
Outside of loops XLA rewrites them; inside `lax.scan`, where an interval of training steps runs, it
does not, and falls back to plain loops: 12 to 25 times slower (`benchmarks/training.py`). So the
gradient is written here in the fast layout.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

Strides: TypeAlias = tuple[int, int]
_FAST = ("NHWC", "HWIO", "NHWC")


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv2d(images: jax.Array, weights: jax.Array, strides: Strides, padding: str) -> jax.Array:
    """TensorFlow's `Conv2D` with NHWC images.

    Args:
        images: [batch, height, width, in].
        weights: [height, width, in, out].
        strides: along height and width.
        padding: "SAME" or "VALID".
    """
    return lax.conv_general_dilated(images, weights, strides, padding, dimension_numbers=_FAST)


def _forward(
    images: jax.Array, weights: jax.Array, strides: Strides, padding: str
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return conv2d(images, weights, strides, padding), (images, weights)


def _backward(
    strides: Strides, padding: str, saved: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    images, weights = saved
    pads = lax.padtype_to_pads(images.shape[1:3], weights.shape[:2], strides, padding)
    return (
        _images_gradient(images, weights, strides, pads, gradient),
        _weights_gradient(images, weights, strides, pads, gradient),
    )


def _images_gradient(
    images: jax.Array,
    weights: jax.Array,
    strides: Strides,
    pads: list[tuple[int, int]],
    gradient: jax.Array,
) -> jax.Array:
    """The gradient spread out by the strides, convolved with the kernel turned by half a circle."""
    turned = jnp.transpose(weights[::-1, ::-1], (0, 1, 3, 2))
    full = []
    for axis in range(2):
        before = weights.shape[axis] - 1 - pads[axis][0]
        spread = (gradient.shape[1 + axis] - 1) * strides[axis] + 1
        after = images.shape[1 + axis] + weights.shape[axis] - 1 - spread - before
        full.append((before, after))
    return lax.conv_general_dilated(
        gradient, turned, (1, 1), full, lhs_dilation=strides, dimension_numbers=_FAST
    )


def _weights_gradient(
    images: jax.Array,
    weights: jax.Array,
    strides: Strides,
    pads: list[tuple[int, int]],
    gradient: jax.Array,
) -> jax.Array:
    """The images, channels as batch, convolved with the gradient, examples as channels."""
    full = []
    for axis in range(2):
        spread = (gradient.shape[1 + axis] - 1) * strides[axis] + 1
        after = weights.shape[axis] - 1 + spread - images.shape[1 + axis] - pads[axis][0]
        full.append((pads[axis][0], after))
    products = lax.conv_general_dilated(
        jnp.transpose(images, (3, 1, 2, 0)),
        jnp.transpose(gradient, (1, 2, 0, 3)),
        (1, 1),
        full,
        rhs_dilation=strides,
        dimension_numbers=_FAST,
    )
    return jnp.transpose(products, (1, 2, 0, 3))


conv2d.defvjp(_forward, _backward)
