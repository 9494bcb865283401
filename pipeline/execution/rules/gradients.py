"""What TF1 training graphs compute backwards: ops that TensorFlow's gradient functions emit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.arrays import mirror_pad
from pipeline.execution.rules.convolution import layout
from pipeline.execution.rules.normalization import local_response_normalization
from pipeline.execution.values import to_jax


def _backward(**functions: Callable[[Any, Any], Any]) -> None:
    """Ops of two arrays of one shape."""
    for op, function in functions.items():
        def compute(
            node: Node, x: Any, y: Any, function: Callable[[Any, Any], Any] = function
        ) -> Any:
            return function(to_jax(x), to_jax(y))
        rule(op)(compute)


_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772 * _SELU_SCALE

# (gradient, features)
_backward(
    ReluGrad=lambda dy, x: jnp.where(x > 0, dy, 0),
    Relu6Grad=lambda dy, x: jnp.where((x > 0) & (x < 6), dy, 0),
    SoftplusGrad=lambda dy, x: dy * jax.nn.sigmoid(x),
    SoftsignGrad=lambda dy, x: dy / jnp.square(1 + jnp.abs(x)),
)
# (gradient, outputs)
_backward(
    EluGrad=lambda dy, y: jnp.where(y < 0, dy * (y + 1), dy),
    SeluGrad=lambda dy, y: jnp.where(y < 0, dy * (y + _SELU_ALPHA), dy * _SELU_SCALE),
)
# (outputs, gradient)
_backward(
    SigmoidGrad=lambda y, dy: dy * y * (1 - y),
    TanhGrad=lambda y, dy: dy * (1 - y * y),
    SqrtGrad=lambda y, dy: dy * 0.5 / y,
    RsqrtGrad=lambda y, dy: dy * -0.5 * y * y * y,
    InvGrad=lambda y, dy: -dy * y * y,
    ReciprocalGrad=lambda y, dy: -dy * y * y,
    IgammaGradA=lax.igamma_grad_a,
    RandomGammaGrad=lax.random_gamma_grad,
)


@rule("LeakyReluGrad", attrs="alpha")
def _leaky_relu_grad(node: Node, gradient: Any, x: Any) -> Any:
    gradient, x = to_jax(gradient), to_jax(x)
    return jnp.where(x > 0, gradient, gradient * jnp.asarray(node["alpha"], x.dtype))


@rule("BiasAddGrad", attrs="data_format")
def _bias_add_grad(node: Node, gradient: Any) -> Any:
    gradient = to_jax(gradient)
    channel = 1 if node["data_format"] == "NCHW" and gradient.ndim > 2 else gradient.ndim - 1
    others = [axis for axis in range(gradient.ndim) if axis != channel]
    return gradient.sum(others, dtype=gradient.dtype)


@rule("LRNGrad", attrs="depth_radius bias alpha beta")
def _lrn_grad(node: Node, gradient: Any, x: Any, y: Any) -> Any:
    return jax.vjp(lambda x: local_response_normalization(node, x), to_jax(x))[1](
        to_jax(gradient))[0]


@rule("MirrorPadGrad", static=(1,), attrs="mode")
def _mirror_pad_grad(node: Node, gradient: Any, paddings: Any) -> Any:
    gradient = to_jax(gradient)
    shape = [size - int(low) - int(high)
             for size, (low, high) in zip(gradient.shape, paddings, strict=True)]
    copies = mirror_pad(node, np.arange(np.prod(shape, dtype=int)).reshape(shape), paddings)
    zeros = jnp.zeros(copies.max(initial=-1) + 1, gradient.dtype)
    return zeros.at[copies.ravel()].add(gradient.ravel()).reshape(shape)


@rule("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3",
      attrs="epsilon data_format is_training U")
def _fused_batch_norm_grad(
    node: Node, gradient: Any, x: Any, scale: Any, mean: Any, variance: Any, *reserved: Any
) -> Any:
    """By `x`, scale and offset; the kept statistics are those that the forward op gives."""
    gradient, x, scale, mean, variance = map(to_jax, (gradient, x, scale, mean, variance))
    where = layout(node["data_format"])
    shape = [-1 if axis == where.channel else 1 for axis in range(x.ndim)]
    epsilon = jnp.asarray(node["epsilon"], scale.dtype)

    def forward(x: Any, scale: Any, offset: Any) -> Any:
        wide = x.astype(scale.dtype)
        center, spread = mean, variance
        if node["is_training"]:
            axes = (0, *where.spatial)
            center, spread = wide.mean(axes), wide.var(axes)
        gain = lax.rsqrt(spread + epsilon) * scale
        y = (wide - center.reshape(shape)) * gain.reshape(shape) + offset.reshape(shape)
        return y.astype(x.dtype)

    found = jax.vjp(forward, x, scale, jnp.zeros_like(scale))[1](gradient)
    empty = np.zeros(0, np.float32)
    return [*found, empty, empty]


@rule("TileGrad", static=(1,))
def _tile_grad(node: Node, x: Any, multiples: Any) -> Any:
    """Sums the copies that `Tile` made."""
    x = to_jax(x)
    split = [part for size, count in zip(x.shape, multiples, strict=True)
             for part in (int(count), size // int(count))]
    return x.reshape(split).sum(tuple(range(0, 2 * x.ndim, 2)))
