"""Activations and the softmax losses."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.elementwise import jax_only
from pipeline.execution.values import to_jax

jax_only(
    Relu=jax.nn.relu, Elu=jax.nn.elu, Softplus=jax.nn.softplus, Sigmoid=jax.nn.sigmoid,
    Softmax=jax.nn.softmax, LogSoftmax=jax.nn.log_softmax,
)


@rule("LeakyRelu", attrs="alpha")
def _leaky_relu(node: Node, x: Any) -> Any:
    x = to_jax(x)
    return jnp.where(x > 0, x, x * jnp.asarray(node["alpha"], x.dtype))


@rule("SoftmaxCrossEntropyWithLogits")
def _softmax_cross_entropy(node: Node, logits: Any, labels: Any) -> Any:
    """Losses [batch] and their gradient by the logits [batch, classes]."""
    logits, labels = jnp.broadcast_arrays(to_jax(logits), to_jax(labels))
    if logits.ndim != 2:
        raise ExecutionError(f"logits and labels of shape {logits.shape}; expected two axes")
    log_probabilities = jax.nn.log_softmax(logits)
    return -(labels * log_probabilities).sum(-1), jnp.exp(log_probabilities) - labels


@rule("SparseSoftmaxCrossEntropyWithLogits")
def _sparse_softmax_cross_entropy(node: Node, logits: Any, labels: Any) -> Any:
    """Labels outside the classes give NaN, as on TensorFlow's GPU kernel; its CPU kernel fails."""
    logits, labels = to_jax(logits), to_jax(labels)
    one_hot = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    known = ((labels >= 0) & (labels < logits.shape[-1]))[..., None]
    log_probabilities = jax.nn.log_softmax(logits)
    loss = -(one_hot * log_probabilities).sum(-1)
    gradient = jnp.exp(log_probabilities) - one_hot
    return jnp.where(known[..., 0], loss, jnp.nan), jnp.where(known, gradient, jnp.nan)


@rule("L2Loss")
def _l2_loss(node: Node, x: Any) -> Any:
    return jnp.square(to_jax(x)).sum() / 2
