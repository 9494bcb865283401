"""Ops of one or two values whose gradient is TensorFlow's choice where values tie or meet an edge.

JAX gives half to each of two equal values. TensorFlow gives `Maximum` and `Minimum`'s gradient to
the first, `ClipByValue`'s to what is clipped, `Relu6`'s at 0 and 6 and `Abs`'s at 0 to nobody.
Sources: tensorflow/python/ops/math_grad.py (`_MaximumMinimumGrad`, `_AbsGrad`), clip_ops.py
(`_clip_by_value_grad`), tensorflow/core/kernels/relu_op_functor.h, softsign_op.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import is_static, operands, to_jax

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _with_slope(
    forward: Callable[..., Any], tangent: Callable[..., Any]
) -> Callable[..., Any]:
    """`forward(*values)` whose tangent is `tangent(*values, *tangents)`."""
    function = jax.custom_jvp(forward)

    @function.defjvp
    def _moved(primals: Any, tangents: Any) -> Any:
        value = forward(*primals)
        return value, jnp.broadcast_to(tangent(*primals, *tangents), value.shape)

    return function


def _selu(x: Any) -> Any:
    return _SELU_SCALE * jnp.where(x < 0, _SELU_ALPHA * jnp.expm1(jnp.minimum(x, 0)), x)


_ONE: dict[str, Callable[..., Any]] = {
    "Abs": _with_slope(jnp.abs, lambda x, dx: dx * jnp.sign(x)),
    "Relu6": _with_slope(lambda x: jnp.minimum(jnp.maximum(x, 0), 6),
                         lambda x, dx: jnp.where((x > 0) & (x < 6), dx, 0)),
    "Selu": _with_slope(_selu, lambda x, dx: dx * _SELU_SCALE * jnp.where(
        x < 0, _SELU_ALPHA * jnp.exp(jnp.minimum(x, 0)), 1)),
    "Softsign": _with_slope(lambda x: x / (1 + jnp.abs(x)),
                            lambda x, dx: dx / jnp.square(1 + jnp.abs(x))),
}
_TWO: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "Maximum": (np.maximum, _with_slope(
        jnp.maximum, lambda x, y, dx, dy: jnp.where(x >= y, dx, dy))),
    "Minimum": (np.minimum, _with_slope(
        jnp.minimum, lambda x, y, dx, dy: jnp.where(x <= y, dx, dy))),
}
_clip = _with_slope(
    lambda x, low, high: jnp.maximum(jnp.minimum(x, high), low),
    lambda x, low, high, dx, d_low, d_high: (
        jnp.where(x < low, d_low, 0) + jnp.where(x > high, d_high, 0)
        + jnp.where((x < low) | (x > high), 0, dx)))


@rule("Abs", folds=True)
def _abs(node: Node, x: Any) -> Any:
    return np.abs(x) if is_static(x) else _ONE["Abs"](x)


@rule("Relu6", "Selu", "Softsign")
def _activation(node: Node, x: Any) -> Any:
    return _ONE[node.op](to_jax(x))


@rule("Maximum", "Minimum", folds=True)
def _of_two(node: Node, x: Any, y: Any) -> Any:
    known, running = _TWO[node.op]
    xp, x, y = operands(x, y)
    return known(x, y) if xp is np else running(x, y)


@rule("ClipByValue")
def _clip_by_value(node: Node, x: Any, low: Any, high: Any) -> Any:
    return _clip(to_jax(x), to_jax(low), to_jax(high))
