"""Batch and local response normalization."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.convolution import layout
from pipeline.execution.values import to_jax

_ATTRS = "epsilon data_format is_training exponential_avg_factor"


@rule("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", attrs=_ATTRS)
def _fused_batch_norm(
    node: Node, x: Any, scale: Any, offset: Any, mean: Any, variance: Any
) -> Any:
    """Normalised `x`, then mean and variance (unbiased, moved by the factor) and what V3 keeps.

    Half precision is computed in float32, as TensorFlow does.
    """
    x, scale, offset, mean, variance = map(to_jax, (x, scale, offset, mean, variance))
    where = layout(node["data_format"])
    wide = x.astype(scale.dtype)
    running_mean, running_variance = mean, variance
    if node["is_training"]:
        axes = (0, *where.spatial)
        mean, variance = wide.mean(axes), wide.var(axes)
        count = x.size // x.shape[where.channel]
        unbiased = variance * (count / max(count - 1, 1))
        factor = node["exponential_avg_factor"]
        new_mean, new_variance = mean, unbiased
        if factor != 1:
            new_mean = running_mean * (1 - factor) + factor * mean
            new_variance = running_variance * (1 - factor) + factor * unbiased
    else:
        new_mean, new_variance = mean, variance
    shape = [-1 if axis == where.channel else 1 for axis in range(x.ndim)]
    gain = lax.rsqrt(variance + jnp.asarray(node["epsilon"], variance.dtype)) * scale
    y = (wide - mean.reshape(shape)) * gain.reshape(shape) + offset.reshape(shape)
    kept = [y.astype(x.dtype), new_mean, new_variance, mean, variance]
    return [*kept, jnp.zeros(0, scale.dtype)] if node.op == "FusedBatchNormV3" else kept


@rule("BatchNormWithGlobalNormalization", attrs="variance_epsilon scale_after_normalization")
def _batch_norm_global(
    node: Node, x: Any, mean: Any, variance: Any, offset: Any, scale: Any
) -> Any:
    x, mean, variance, offset, scale = map(to_jax, (x, mean, variance, offset, scale))
    gain = lax.rsqrt(variance + jnp.asarray(node["variance_epsilon"], x.dtype))
    if node["scale_after_normalization"]:
        gain = gain * scale
    return (x - mean) * gain + offset


@rule("LRN", attrs="depth_radius bias alpha beta")
def local_response_normalization(node: Node, x: Any) -> Any:
    """x / (bias + alpha · Σ x²)^beta, the sum over `depth_radius` channels to either side."""
    x = to_jax(x)
    width = 2 * node["depth_radius"] + 1
    window = (1,) * (x.ndim - 1) + (width,)
    sums = lax.reduce_window(x * x, np.zeros((), x.dtype), lax.add, window, (1,) * x.ndim, "SAME")
    return x / jnp.power(node["bias"] + node["alpha"] * sums, node["beta"]).astype(x.dtype)
