"""Rounding to a few bits and back, as quantization-aware training inserts it: exact to the step.

Sources: tensorflow/core/kernels/fake_quant_ops_functor.h, quantize_and_dequantize_op.h,
tensorflow/python/ops/array_grad.py (`_QuantizeAndDequantizeV2Grad` and its kin).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax

_FAKE = "num_bits narrow_range"
_ROUND_TRIP = "signed_input num_bits range_given narrow_range"


def alone(product: Any) -> Any:
    """A product or quotient that is rounded before anything else is made of it.

    XLA contracts `x * y + z` to a fused multiply-add, past any optimization barrier, and makes
    `x * z / y` of `x / (y / z)`: another step where a value lies between two. A choice that no
    compiler can foresee prevents it.
    """
    largest = jnp.finfo(product.dtype).max / 2
    return jnp.where(product > largest, jnp.inf, product)


def _running(divisor: Any, beside: Any) -> Any:
    """A divisor that XLA does not take for a constant, whose inverse it would multiply with."""
    return jnp.where(jnp.isnan(beside), beside, divisor)


class Grid(NamedTuple):
    """The steps of a fake quantization: where they begin and end, their size, its inverse."""

    begin: Any
    end: Any
    scale: Any
    inverse: Any


def _grid(node: Node, low: Any, high: Any) -> Grid:
    """2^bits steps that reach from about `low` to `high` and have 0 on one of them."""
    least = np.float32(1 if node["narrow_range"] else 0)
    most = np.float32(2 ** node["num_bits"] - 1)
    steps = _running(most - least, low)
    scale, inverse = alone((high - low) / steps), steps / (high - low)
    found = least - low / scale
    whole = jnp.trunc(found)
    nearest = jnp.where(found - whole >= 0.5, whole + 1, whole)
    zero = jnp.where(found < least, least, jnp.where(found > most, most, nearest))
    zero = jnp.where(jnp.isnan(found), 0, zero)    # what x86 makes of it
    return Grid(alone((least - zero) * scale), alone((most - zero) * scale), scale, inverse)


@jax.custom_jvp
def _on_grid(x: Any, low: Any, high: Any, grid: Grid, divides: Any) -> Any:
    clamped = jnp.maximum(jnp.minimum(x, grid.end), grid.begin) - grid.begin
    zero = jnp.floor(alone(-grid.begin * grid.inverse) + 0.5)
    step = jnp.where(divides, clamped / grid.scale, alone(clamped * grid.inverse))
    return jnp.where((low == 0) & (high == 0), 0, jnp.floor(step - zero + 0.5) * grid.scale)


@_on_grid.defjvp
def _on_grid_tangent(primals: Any, tangents: Any) -> Any:
    x, low, high, grid, _ = primals
    dx, d_low, d_high, *_ = tangents
    nothing = (low == 0) & (high == 0)
    below, above, inside = _sides(x, grid)
    moved = jnp.where(below, d_low, 0) + jnp.where(above, d_high, 0) + jnp.where(inside, dx, 0)
    return _on_grid(*primals), jnp.where(nothing, dx, moved)


def _sides(x: Any, grid: Grid) -> tuple[Any, Any, Any]:
    return x < grid.begin, x > grid.end, (x >= grid.begin) & (x <= grid.end)


def _fake_quantized(node: Node, x: Any, low: Any, high: Any) -> Any:
    """Of a scalar range the kernel divides by the step; of others it multiplies by the inverse."""
    x, low, high = map(to_jax, (x, low, high))
    grid = jax.tree.map(lax.stop_gradient, _grid(node, low, high))
    return _on_grid(x, low, high, grid, node.op == "FakeQuantWithMinMaxVars")


@rule("FakeQuantWithMinMaxArgs", attrs=f"min max {_FAKE}")
def _fake_quant_args(node: Node, x: Any) -> Any:
    return _fake_quantized(node, x, np.float32(node["min"]), np.float32(node["max"]))


@rule("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel", attrs=_FAKE)
def _fake_quant_vars(node: Node, x: Any, low: Any, high: Any) -> Any:
    return _fake_quantized(node, x, low, high)


@rule("FakeQuantWithMinMaxArgsGradient", attrs=f"min max {_FAKE}")
def _fake_quant_args_gradient(node: Node, gradient: Any, x: Any) -> Any:
    return _pulled(node, gradient, x, np.float32(node["min"]), np.float32(node["max"]))[0]


@rule("FakeQuantWithMinMaxVarsGradient", "FakeQuantWithMinMaxVarsPerChannelGradient", attrs=_FAKE)
def _fake_quant_vars_gradient(node: Node, gradient: Any, x: Any, low: Any, high: Any) -> Any:
    return _pulled(node, gradient, x, low, high)


def _pulled(node: Node, gradient: Any, x: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    """The gradient by the values and by the ends of their range."""
    gradient, x, low, high = map(to_jax, (gradient, x, low, high))
    nothing = (low == 0) & (high == 0)
    below, above, inside = _sides(x, _grid(node, low, high))
    axes = tuple(range(x.ndim - low.ndim))
    by_low, by_high = (jnp.where(nothing, 0, (gradient * side).sum(axes))
                       for side in (below, above))
    return jnp.where(nothing, gradient, gradient * inside), by_low, by_high


@rule("QuantizeAndDequantizeV2", attrs=f"{_ROUND_TRIP} round_mode axis")
def _quantize_v2(node: Node, x: Any, low: Any, high: Any) -> Any:
    return _straight_through(x, _round_trip(node, x, low, high, node["num_bits"]))


@rule("QuantizeAndDequantizeV3", static=(3,), attrs="signed_input range_given narrow_range axis")
def _quantize_v3(node: Node, x: Any, low: Any, high: Any, bits: Any) -> Any:
    return _straight_through(x, _round_trip(node, x, low, high, int(bits)))


@rule("QuantizeAndDequantizeV4", attrs=f"{_ROUND_TRIP} round_mode axis")
def _quantize_v4(node: Node, x: Any, low: Any, high: Any) -> Any:
    """The gradient passes where the value lies in the range that is given."""
    x = to_jax(x)
    inside = _inside(node, x, low, high)
    rounded = _round_trip(node, x, low, high, node["num_bits"])
    return _straight_through(jnp.where(inside, x, lax.stop_gradient(x)), rounded)


@rule("QuantizeAndDequantizeV4Grad", attrs="axis")
def _quantize_v4_gradient(node: Node, gradient: Any, x: Any, low: Any, high: Any) -> Any:
    gradient, low, high = map(to_jax, (gradient, low, high))
    passed = gradient * _inside(node, to_jax(x), low, high)
    return passed, jnp.zeros_like(low), jnp.zeros_like(high)


@jax.custom_jvp
def _straight_through(x: Any, rounded: Any) -> Any:
    return rounded


@_straight_through.defjvp
def _straight_through_tangent(primals: Any, tangents: Any) -> Any:
    return primals[1], tangents[0]


def _inside(node: Node, x: Any, low: Any, high: Any) -> Any:
    shape, _ = _channels(node, x)
    return (x >= to_jax(low).reshape(shape)) & (x <= to_jax(high).reshape(shape))


def _channels(node: Node, x: Any) -> tuple[list[int], tuple[int, ...]]:
    """The shape that a range has against `x`, and the axes that share one."""
    axis = node.attrs.get("axis", -1)
    if axis == -1:
        return [], tuple(range(x.ndim))
    return ([-1 if each == axis else 1 for each in range(x.ndim)],
            tuple(each for each in range(x.ndim) if each != axis))


def _round_trip(node: Node, x: Any, low: Any, high: Any, bits: int) -> Any:
    """The grid keeps 0 and the wider side; a range of one sign is scaled by its farther end."""
    x, low, high = to_jax(x), to_jax(low), to_jax(high)
    shape, shared = _channels(node, x)
    if not node["range_given"]:
        low, high = x.min(shared), x.max(shared)
    signed = node["signed_input"]
    least = float(-(2 ** (bits - 1)) + int(node["narrow_range"])) if signed else 0.0
    most = float(2 ** (bits - 1) - 1 if signed else 2 ** bits - 1)
    largest = jnp.finfo(x.dtype).max
    by_low = jnp.where(least * low > 0, least / low, largest)
    by_high = jnp.where(most * high > 0, most / high, largest)
    of_low = by_low < by_high
    scale = jnp.where(of_low, by_low, by_high)
    inverse = jnp.where(of_low, low / _running(least or 1.0, low), high / _running(most, high))
    low, high = (jnp.where(of_low, low, least * inverse), jnp.where(of_low, most * inverse, high))
    scale, inverse, low, high = (each.reshape(shape) for each in (scale, inverse, low, high))
    inside = jnp.maximum(jnp.minimum(x, high), low) if node["range_given"] else x
    steps = _rounded(alone(inside * scale), node.attrs.get("round_mode", "HALF_TO_EVEN"))
    return lax.stop_gradient((steps * inverse).astype(x.dtype))


def _rounded(x: Any, mode: str) -> Any:
    if mode == "HALF_UP":
        return jnp.floor(x + 0.5)
    if mode == "HALF_TO_EVEN":
        return jnp.rint(x)
    raise ExecutionError(f"round_mode {mode!r}; expected HALF_TO_EVEN or HALF_UP")
