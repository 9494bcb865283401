"""Exponential moving averages: TensorFlow's arithmetic, and its API over the store."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def ema_decay(decay: ArrayLike, num_updates: ArrayLike | None) -> Array:
    """The decay in effect: `min(decay, (1 + n) / (10 + n))` after n updates (H3).

    Args:
        decay: between 0 and 1.
        num_updates: the number of steps so far; None for a constant decay.
    """
    fixed = jnp.asarray(decay, jnp.float32)
    if num_updates is None:
        return fixed
    steps = jnp.asarray(num_updates, jnp.float32)
    return jnp.minimum(fixed, (1.0 + steps) / (10.0 + steps))


def ema_update(shadow: Array, value: Array, decay: ArrayLike) -> Array:
    """The next shadow, `shadow - (1 - decay) · (shadow - value)`, rounded as TensorFlow does."""
    rate = (1.0 - jnp.asarray(decay, jnp.float32)).astype(shadow.dtype)
    return shadow - (shadow - value) * rate
