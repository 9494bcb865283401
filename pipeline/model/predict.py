"""A network over a whole split, in batches of one size, so that one program serves them all."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from pipeline.model.network import Network, Variables, to_input

_BATCH = 500  # examples; small enough for a layer's activations to stay in a CPU's cache


def predict_logits(
    network: Network, variables: Variables, pixels: NDArray[np.uint8] | jax.Array
) -> NDArray[np.float32]:
    """The logits of every example, in inference form.

    Args:
        network: the model.
        variables: its values by name.
        pixels: uint8 [n, 28, 28]; n may be 0.

    Returns:
        float32 [n, classes].
    """
    count = len(pixels)
    batches = max(1, -(-count // _BATCH))
    padded = jnp.pad(jnp.asarray(pixels), ((0, batches * _BATCH - count), (0, 0), (0, 0)))
    logits = _compiled(network)(variables, padded.reshape(batches, _BATCH, *pixels.shape[1:]))
    return np.asarray(logits).reshape(batches * _BATCH, -1)[:count]


@lru_cache(maxsize=8)
def _compiled(network: Network) -> Callable[[Variables, jax.Array], jax.Array]:
    def all_batches(variables: Variables, batches: jax.Array) -> jax.Array:
        def one(pixels: jax.Array) -> jax.Array:
            logits, _ = network.apply(variables, to_input(network, pixels))
            return logits.astype(jnp.float32)

        logits: jax.Array = jax.lax.map(one, batches)
        return logits

    return jax.jit(all_batches)
