"""A network over a whole split, in batches of one size, so that one program serves them all."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from pipeline.data.dataset import Examples
from pipeline.model.network import Network, Variables, to_input

_BATCH = 500  # examples of MNIST's size: a layer's activations stay in a CPU's cache
_NUMBERS = 1 << 22  # in a batch of larger examples


def predict_logits(
    network: Network, variables: Variables, pixels: Examples | jax.Array
) -> NDArray[np.float32]:
    """The logits of every example, in inference form.

    Args:
        network: the model.
        variables: its values by name.
        pixels: examples as a `DataSet` holds them; n may be 0.

    Returns:
        float32 [n, classes].
    """
    count = len(pixels)
    batch = max(1, min(_BATCH, _NUMBERS // math.prod(pixels.shape[1:])))
    batches = max(1, -(-count // batch))
    rows = [(0, batches * batch - count), *[(0, 0)] * (pixels.ndim - 1)]
    padded = jnp.pad(jnp.asarray(pixels), rows)
    logits = _compiled(network)(variables, padded.reshape(batches, batch, *pixels.shape[1:]))
    return np.asarray(logits).reshape(batches * batch, -1)[:count]


@lru_cache(maxsize=8)
def _compiled(network: Network) -> Callable[[Variables, jax.Array], jax.Array]:
    def all_batches(variables: Variables, batches: jax.Array) -> jax.Array:
        def one(pixels: jax.Array) -> jax.Array:
            logits, _ = network.apply(variables, to_input(network, pixels))
            return logits.astype(jnp.float32)

        logits: jax.Array = jax.lax.map(one, batches)
        return logits

    return jax.jit(all_batches)
