"""What training minimises."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax


def cross_entropy(logits: jax.Array, labels: jax.Array, label_smoothing: float = 0.0) -> jax.Array:
    """The mean softmax cross-entropy, in nats.

    Args:
        logits: float [batch, classes].
        labels: integer [batch].
        label_smoothing: share of the target spread evenly over all classes.
    """
    classes = logits.shape[-1]
    targets = jax.nn.one_hot(labels, classes, dtype=logits.dtype)
    targets = targets * (1.0 - label_smoothing) + label_smoothing / classes
    return jnp.mean(optax.softmax_cross_entropy(logits, targets))
