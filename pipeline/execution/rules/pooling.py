"""Pooling windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.convolution import Layout, layout, padding_of
from pipeline.execution.rules.reductions import extreme
from pipeline.execution.values import dimensions, to_jax, vector

_ATTRS = "ksize strides padding explicit_paddings data_format"


def _padding(
    node: Node, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int]
) -> Any:
    """Pairs for every axis of the array."""
    where = layout(node["data_format"])
    padding = padding_of(node, where)
    if isinstance(padding, str):
        return lax.padtype_to_pads(sizes, window, strides, padding)
    pairs = dict(zip(where.spatial, padding, strict=True))
    return [pairs.get(axis, (0, 0)) for axis in range(len(sizes))]


@rule("MaxPool", "MaxPool3D", attrs=_ATTRS)
def _max_pool(node: Node, x: Any) -> Any:
    return max_pool(node, to_jax(x), node["ksize"], node["strides"])


@rule("MaxPoolV2", static=(1, 2), attrs="padding data_format")
def _max_pool_v2(node: Node, x: Any, window: Any, strides: Any) -> Any:
    return max_pool(node, to_jax(x), vector(window), vector(strides))


def max_pool(node: Node, x: Any, window: Sequence[int], strides: Sequence[int]) -> Any:
    """The largest value of each window; padding never wins."""
    start = np.asarray(extreme(x.dtype, low=True), x.dtype)
    return lax.reduce_window(x, start, lax.max, tuple(window), tuple(strides),
                             _padding(node, x.shape, window, strides))


@rule("AvgPool", "AvgPool3D", attrs=_ATTRS)
def _avg_pool(node: Node, x: Any) -> Any:
    return avg_pool(node, to_jax(x))


def avg_pool(node: Node, x: Any) -> Any:
    """The mean of each window, padding not counted."""
    window, strides = tuple(node["ksize"]), tuple(node["strides"])
    padding = _padding(node, x.shape, window, strides)
    sums = lax.reduce_window(x, np.asarray(0, x.dtype), lax.add, window, strides, padding)
    return sums / _counts(x.shape, window, strides, padding, x.dtype)


def _counts(
    sizes: Sequence[int], window: Sequence[int], strides: Sequence[int],
    padding: Sequence[tuple[int, int]], dtype: Any,
) -> Any:
    """How many real elements each window has. Known in advance, so XLA need not fold it."""
    counts = np.ones((1,) * len(sizes), np.float64)
    for axis, (size, length, step, (low, high)) in enumerate(
            zip(sizes, window, strides, padding, strict=True)):
        begin = np.arange(0, size + low + high - length + 1, step) - low
        inside = np.minimum(begin + length, size) - np.maximum(begin, 0)
        if np.ptp(inside) if inside.size else 0:
            counts = counts * inside.reshape([-1 if a == axis else 1 for a in range(len(sizes))])
        elif inside.size:
            counts = counts * inside[0]
    return jnp.asarray(counts, dtype)


@rule("MaxPoolGrad", attrs=_ATTRS)
def _max_pool_grad(node: Node, x: Any, output: Any, gradient: Any) -> Any:
    x, gradient = to_jax(x), to_jax(gradient)
    wide = _differentiable(x.dtype)
    pull = jax.vjp(lambda x: max_pool(node, x, node["ksize"], node["strides"]), x.astype(wide))[1]
    return pull(gradient.astype(wide))[0].astype(x.dtype)


def _differentiable(dtype: Any) -> Any:
    """The dtype, or for integers a floating one that holds all of theirs: JAX needs it."""
    if not jnp.issubdtype(dtype, np.integer):
        return dtype
    if jnp.iinfo(dtype).bits > 16:
        raise ExecutionError(f"the gradient of {dtype} windows; expected floats or 16-bit integers")
    return jnp.float32


@rule("AvgPoolGrad", static=(0,), attrs=_ATTRS)
def _avg_pool_grad(node: Node, shape: Any, gradient: Any) -> Any:
    gradient = to_jax(gradient)
    pull = jax.vjp(lambda x: avg_pool(node, x), jnp.zeros(dimensions(shape), gradient.dtype))[1]
    return pull(gradient)[0]


@rule("MaxPoolWithArgmax", attrs="ksize strides padding Targmax include_batch_in_index")
def _max_pool_with_argmax(node: Node, x: Any) -> Any:
    """Values and their flat positions (row · width + column) · channels + channel."""
    x = to_jax(x)
    batch, height, width, channels = x.shape
    where = Layout(3, (1, 2), "NHWC")
    window, strides = where.pick(node["ksize"]), where.pick(node["strides"])
    pads = lax.padtype_to_pads((height, width), window, strides, node["padding"])
    padded = jnp.pad(x, [(0, 0), *pads, (0, 0)], constant_values=extreme(x.dtype, low=True))
    rows, columns = (np.arange(-low, size + high) for (low, high), size
                     in zip(pads, (height, width), strict=True))
    places = rows[:, None] * width + columns
    best, found = None, jnp.zeros((), jnp.int32)
    for row in range(window[0]):
        for column in range(window[1]):
            steps = (slice(row, padded.shape[1] - window[0] + row + 1, strides[0]),
                     slice(column, padded.shape[2] - window[1] + column + 1, strides[1]))
            value, place = padded[(slice(None), *steps)], places[steps][..., None]
            if best is None:
                best, found = value, jnp.broadcast_to(place, value.shape)
            else:
                found = jnp.where(value > best, place, found)
                best = jnp.maximum(value, best)
    found = found * channels + np.arange(channels)
    if node["include_batch_in_index"]:
        found = found + (np.arange(batch) * height * width * channels).reshape(-1, 1, 1, 1)
    return best, found
