"""Rounding to a few bits and back, as quantization-aware training inserts it.

Gradients pass straight through within the range. Source:
tensorflow/core/kernels/fake_quant_ops_functor.h, quantize_and_dequantize_op.h.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax


def _fake_quantized(node: Node, x: Any, low: Any, high: Any) -> Any:
    """`x` on the grid of 2^bits steps that reaches from about `low` to `high` and has 0 on it."""
    least = jnp.asarray(1 if node["narrow_range"] else 0, x.dtype)
    most = jnp.asarray(2 ** node["num_bits"] - 1, x.dtype)
    scale = (high - low) / (most - least)
    step = jnp.where(scale == 0, 1, scale)
    zero = jnp.clip(jnp.floor(least - low / step + 0.5), least, most)
    begin, end = (least - zero) * scale, (most - zero) * scale
    inside = jnp.clip(x, begin, end)
    # in TensorFlow's order: on the edge of a step the last bit tells
    zero_step = jnp.floor(-begin * (1 / step) + 0.5)
    rounded = jnp.floor((inside - begin) / step - zero_step + 0.5) * scale
    return jnp.where(scale == 0, 0, inside + lax.stop_gradient(rounded - inside))


@rule("FakeQuantWithMinMaxArgs", attrs="min max num_bits narrow_range")
def _fake_quant_args(node: Node, x: Any) -> Any:
    x = to_jax(x)
    return _fake_quantized(node, x, jnp.asarray(node["min"], x.dtype),
                           jnp.asarray(node["max"], x.dtype))


@rule("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel",
      attrs="num_bits narrow_range")
def _fake_quant_vars(node: Node, x: Any, low: Any, high: Any) -> Any:
    return _fake_quantized(node, to_jax(x), to_jax(low), to_jax(high))


@rule("QuantizeAndDequantizeV2", attrs="signed_input num_bits range_given round_mode narrow_range "
                                       "axis")
def _quantize_v2(node: Node, x: Any, low: Any, high: Any) -> Any:
    return _quantized(node, x, low, high, node["num_bits"])


@rule("QuantizeAndDequantizeV4", attrs="signed_input num_bits range_given round_mode narrow_range "
                                       "axis")
def _quantize_v4(node: Node, x: Any, low: Any, high: Any) -> Any:
    return _quantized(node, x, low, high, node["num_bits"])


@rule("QuantizeAndDequantizeV3", static=(3,), attrs="signed_input range_given narrow_range axis")
def _quantize_v3(node: Node, x: Any, low: Any, high: Any, bits: Any) -> Any:
    return _quantized(node, x, low, high, int(bits))


def _quantized(node: Node, x: Any, low: Any, high: Any, bits: int) -> Any:
    """The grid keeps 0 and the wider side; a range of one sign is scaled by its farther end."""
    x, low, high = to_jax(x), to_jax(low), to_jax(high)
    if node["axis"] != -1:
        shape = [-1 if axis == node["axis"] else 1 for axis in range(x.ndim)]
        others = tuple(axis for axis in range(x.ndim) if axis != node["axis"])
    else:
        shape, others = [], tuple(range(x.ndim))
    if not node["range_given"]:
        low, high = x.min(others), x.max(others)
    signed = node["signed_input"]
    least = -(2 ** (bits - 1)) + int(node["narrow_range"]) if signed else 0
    most = 2 ** (bits - 1) - 1 if signed else 2 ** bits - 1
    by_low = jnp.where(least * low > 0, least / jnp.where(low == 0, 1, low), jnp.inf)
    by_high = jnp.where(most * high > 0, most / jnp.where(high == 0, 1, high), jnp.inf)
    scale = jnp.minimum(by_low, by_high)
    known = jnp.isfinite(scale)
    scale = jnp.where(known, scale, 1)
    low, high = jnp.where(by_low <= by_high, low, least / scale), jnp.where(
        by_low <= by_high, most / scale, high)
    scale, low, high, known = (each.reshape(shape) for each in (scale, low, high, known))
    inside = jnp.clip(x, low, high) if node["range_given"] else x
    rounded = _round(inside * scale, node.attrs.get("round_mode", "HALF_TO_EVEN")) / scale
    return jnp.where(known, inside + lax.stop_gradient(rounded - inside), x).astype(x.dtype)


def _round(x: Any, mode: str) -> Any:
    if mode == "HALF_UP":
        return jnp.floor(x + 0.5)
    if mode == "HALF_TO_EVEN":
        return jnp.rint(x)
    raise ExecutionError(f"round_mode {mode!r}; expected HALF_TO_EVEN or HALF_UP")
