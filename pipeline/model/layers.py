"""The layers that a scope may be, by kind, as functions that make their variables by name.

Each is called inside its own variable scope as `layer(config, inputs, training)`. The arithmetic is
written in the forms that lowering knows as MatMul, BiasAdd, Conv2D, MaxPool, AvgPool and
FusedBatchNorm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from pipeline import scopes
from pipeline.config import ConfigError
from pipeline.config.model import (
    Activate,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pair,
    Pool,
    Variables,
)
from pipeline.model.convolution import conv2d
from pipeline.model.parts import ACTIVATIONS, initializer, regularizer
from pipeline.scopes import get_variable
from pipeline.scopes.initializers import Ones, Zeros


def dense(config: Dense, inputs: Array, training: bool) -> Array:
    """[batch, …] → [batch, units]."""
    if config.units is None:
        raise ConfigError("units: is required and was not given; only the last layer has as many "
                          "as the data has classes")
    inputs = flatten(None, inputs, training)
    weights = _weights(config, (inputs.shape[1], config.units))
    return _finish(config, jnp.matmul(inputs.astype(weights.dtype), weights), config.units)


def conv(config: Conv, inputs: Array, training: bool) -> Array:
    """[batch, height, width, channels] → [batch, height', width', filters]."""
    _check_images("conv", inputs)
    weights = _weights(config, (*_pair(config.kernel_size), inputs.shape[3], config.filters))
    convolved = conv2d(
        inputs.astype(weights.dtype), weights, _pair(config.strides), config.padding
    )
    _check_size("conv", convolved, inputs)
    return _finish(config, convolved, config.filters)


def batch_norm(config: BatchNorm, inputs: Array, training: bool) -> Array:
    """Normalizes over all axes but the last; the moving averages are assigned while training.

    The variables stay in single precision under half-precision defaults, as TensorFlow's do.
    """
    channels = (inputs.shape[-1],)
    dtype = jnp.promote_types(inputs.dtype, jnp.float32)
    own: dict[str, Any] = {"regularizer": scopes.no_regularizer, "dtype": dtype}
    gamma = get_variable("gamma", channels, initializer=Ones(), **own)[...]
    beta = get_variable("beta", channels, initializer=Zeros(), **own)[...]
    fixed = {"trainable": False, **own}
    moving_mean = get_variable("moving_mean", channels, initializer=Zeros(), **fixed)
    moving_variance = get_variable("moving_variance", channels, initializer=Ones(), **fixed)
    mean, variance = moving_mean[...], moving_variance[...]
    wide = inputs.astype(mean.dtype)
    if training:
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = jnp.mean(wide, axes), jnp.var(wide, axes)
        moving_mean.assign(scopes.ema_update(moving_mean[...], mean, config.decay))
        moving_variance.assign(scopes.ema_update(moving_variance[...], variance, config.decay))
    scale = lax.rsqrt(variance + config.epsilon) * gamma
    return ACTIVATIONS[config.activation](((wide - mean) * scale + beta).astype(inputs.dtype))


def dropout(config: Dropout, inputs: Array, training: bool) -> Array:
    """Zeroes each number with probability `rate` and scales the others up, while training."""
    if not training or config.rate == 0.0:
        return inputs
    kept = jax.random.bernoulli(scopes.next_key(), 1.0 - config.rate, inputs.shape)
    return jnp.where(kept, inputs / (1.0 - config.rate), jnp.zeros_like(inputs))


def pool(config: Pool, inputs: Array, training: bool) -> Array:
    """The maximum or the mean of each window."""
    _check_images(config.kind, inputs)
    window = {"window_shape": _pair(config.size), "padding": config.padding,
              "strides": _pair(config.size if config.strides is None else config.strides)}
    # jax2onnx knows flax's functions by name, and writes others so that no runtime runs them
    pooled: Array = nnx.max_pool(inputs, **window) if config.kind == "max_pool" \
        else nnx.avg_pool(inputs, **window, count_include_pad=config.padding == "VALID")
    _check_size(config.kind, pooled, inputs)
    return pooled


def global_avg_pool(config: GlobalPool, inputs: Array, training: bool) -> Array:
    """[batch, height, width, channels] → [batch, channels]."""
    _check_images(config.kind, inputs)
    return jnp.mean(inputs, axis=(1, 2))


def flatten(config: Flatten | None, inputs: Array, training: bool) -> Array:
    """[batch, …] → [batch, product of the rest]."""
    if inputs.ndim == 2:
        return inputs
    return jnp.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))


def activate(config: Activate, inputs: Array, training: bool) -> Array:
    """The activation, number by number."""
    return ACTIVATIONS[config.function](inputs)


LAYERS: dict[type, Callable[[Any, Array, bool], Array]] = {
    Dense: dense,
    Conv: conv,
    BatchNorm: batch_norm,
    Dropout: dropout,
    Pool: pool,
    GlobalPool: global_avg_pool,
    Flatten: flatten,
    Activate: activate,
}


def _weights(config: Variables, shape: tuple[int, ...]) -> Array:
    weights: Array = get_variable("weights", shape)[...]
    return weights


def _finish(config: Variables, result: Array, width: int) -> Array:
    if config.use_bias:
        biases = get_variable(
            "biases", [width],
            initializer=initializer(config.bias_initializer) or Zeros(),
            regularizer=regularizer(config.bias_regularizer) or scopes.no_regularizer,
        )
        result = result + biases[...]
    return ACTIVATIONS[config.activation](result)


def _pair(size: Pair) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _check_images(kind: str, inputs: Array) -> None:
    if inputs.ndim != 4:
        raise ConfigError(f"{kind} needs images [batch, height, width, channels]; it is given "
                          f"[batch, {', '.join(map(str, inputs.shape[1:]))}]; "
                          "set model.input_shape=image, and flatten later")


def _check_size(kind: str, result: Array, inputs: Array) -> None:
    if 0 in result.shape[1:]:
        raise ConfigError(f"{kind}: its window is larger than its input {inputs.shape[1:3]}; "
                          "use a smaller one, or padding=SAME")
