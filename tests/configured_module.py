"""A user's own network, as it would lie beside their `run.py` command."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx


class Perceptron(nnx.Module):
    """784 → width → 10, with dropout between."""

    def __init__(self, width: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(784, width, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)
        self.out = nnx.Linear(width, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        return self.out(self.drop(nnx.relu(self.hidden(images))))


class Turned(nnx.Module):
    """784 → 10 with weights kept as [out, in]."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.einsum = nnx.Einsum("bi,oi->bo", (10, 784), (10,), rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        return self.einsum(images)


class Branching(nnx.Module):
    """784 → 10 by other weights for bright images than for dark ones."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.bright = nnx.Linear(784, 10, rngs=rngs)
        self.dark = nnx.Linear(784, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        bright, dark = self.bright.kernel[...], self.dark.kernel[...]
        return jax.lax.cond(jnp.mean(images) > 0.5,
                            lambda x: x @ bright, lambda x: x @ dark, images)
