"""What training minimises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import optax

from pipeline.config.consent import function_wanted, load_named
from pipeline.config.schema import TrainerConfig
from pipeline.train.errors import TrainError

Loss: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]


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


def build_loss(trainer: TrainerConfig) -> Loss:
    """The loss of (logits [batch, classes], labels [batch]), a scalar to be made small.

    Raises:
        ConfigError: `trainer.loss` names no function.
        TrainError: when it is called: it fails, or gives neither a scalar nor one loss an example.
    """
    if trainer.loss is None:
        return partial(cross_entropy, label_smoothing=trainer.label_smoothing)
    theirs = load_named(trainer.loss, "trainer.loss", [function_wanted])

    def mean_loss(logits: jax.Array, labels: jax.Array) -> jax.Array:
        key = f"trainer.loss={trainer.loss}"
        try:
            losses = jnp.asarray(theirs(logits, labels.astype(jnp.int32)))
        except (TypeError, ValueError) as error:
            raise TrainError(f"{key}: {error}; it is called with logits {logits.shape} and "
                             f"integer labels {labels.shape}") from error
        expected = ((), labels.shape)
        if losses.shape not in expected or not jnp.issubdtype(losses.dtype, jnp.floating):
            raise TrainError(f"{key}: gives {losses.dtype} {list(losses.shape)}; expected a float "
                             f"scalar, or one an example: {list(labels.shape)}")
        return jnp.mean(losses)

    return mean_loss
