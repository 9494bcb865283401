"""Convolutions over NHWC and NCHW images and NDHWC volumes; filters are always [..., in, out]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.products import as_products
from pipeline.execution.values import dimensions, to_jax

Padding = str | list[tuple[int, int]]


class Layout(NamedTuple):
    """Where a data format keeps its channels, and its spatial axes in order."""

    channel: int
    spatial: tuple[int, ...]
    letters: str

    def pick(self, values: Sequence[int]) -> tuple[int, ...]:
        """The spatial entries of a list that has one per axis."""
        return tuple(values[axis] for axis in self.spatial)


def layout(data_format: str) -> Layout:
    """The layout of `NHWC`, `NCHW`, `NDHWC`, `NCDHW`.

    Raises:
        ExecutionError: any other format.
    """
    if data_format not in ("NHWC", "NCHW", "NDHWC", "NCDHW"):
        raise ExecutionError(f"data_format {data_format!r}; expected NHWC, NCHW, NDHWC or NCDHW")
    channel = data_format.index("C")
    spatial = tuple(axis for axis in range(1, len(data_format)) if axis != channel)
    return Layout(channel, spatial, data_format)


def padding_of(node: Node, where: Layout) -> Padding:
    """`SAME`, `VALID`, or the pairs of `explicit_paddings` (which has four or five of them)."""
    if node["padding"] != "EXPLICIT":
        return str(node["padding"])
    flat = node["explicit_paddings"]
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    return [pairs[axis] for axis in where.spatial]


def convolve(node: Node, x: Any, filters: Any, *, groups: int = 0) -> Any:
    """The convolution that a node's attributes describe.

    `groups` 0 finds them: channels of the image over channels of the filters.
    """
    where = layout(node["data_format"])
    channels = x.shape[where.channel]
    if not groups:
        if filters.shape[-2] == 0 or channels % filters.shape[-2]:
            raise ExecutionError(f"{channels} channels for filters of {filters.shape[-2]}")
        groups = channels // filters.shape[-2]
    strides, dilations = where.pick(node["strides"]), where.pick(node["dilations"])
    padding = padding_of(node, where)
    if where.letters == "NHWC" and groups == 1 and set(dilations) == {1}:
        pads = padding if isinstance(padding, list) else lax.padtype_to_pads(
            x.shape[1:3], filters.shape[:2], strides, padding)
        found = as_products(x, filters, strides, pads)
        if found is not None:
            return found
    spatial = where.letters.replace("N", "").replace("C", "")
    numbers = (where.letters, spatial + "IO", where.letters)
    return lax.conv_general_dilated(
        x, filters, strides, padding, rhs_dilation=dilations, dimension_numbers=numbers,
        feature_group_count=groups)


_ATTRS = "strides padding explicit_paddings dilations data_format use_cudnn_on_gpu"


@rule("Conv2D", "Conv3D", attrs=_ATTRS)
def _conv(node: Node, x: Any, filters: Any) -> Any:
    return convolve(node, to_jax(x), to_jax(filters))


@rule("DepthwiseConv2dNative", attrs=_ATTRS)
def _depthwise_conv(node: Node, x: Any, filters: Any) -> Any:
    return _depthwise(node, to_jax(x), to_jax(filters))


def _depthwise(node: Node, x: Any, filters: Any) -> Any:
    height, width, channels, multiplier = filters.shape
    shaped = filters.reshape(height, width, 1, channels * multiplier)
    return convolve(node, x, shaped, groups=channels)


@rule("Conv2DBackpropInput", "Conv3DBackpropInputV2", "DepthwiseConv2dNativeBackpropInput",
      static=(0,), attrs=_ATTRS)
def _backprop_input(node: Node, shape: Any, filters: Any, gradient: Any) -> Any:
    """Transposed convolution: the linear map that a convolution's gradient is."""
    filters, gradient = to_jax(filters), to_jax(gradient)
    forward = _depthwise if node.op.startswith("Depthwise") else convolve
    zeros = jnp.zeros(dimensions(shape), gradient.dtype)
    return _pull(lambda x: forward(node, x, filters), zeros, gradient)


@rule("Conv2DBackpropFilter", "Conv3DBackpropFilterV2", "DepthwiseConv2dNativeBackpropFilter",
      static=(1,), attrs=_ATTRS)
def _backprop_filter(node: Node, x: Any, shape: Any, gradient: Any) -> Any:
    x, gradient = to_jax(x), to_jax(gradient)
    forward = _depthwise if node.op.startswith("Depthwise") else convolve
    zeros = jnp.zeros(dimensions(shape), gradient.dtype)
    return _pull(lambda filters: forward(node, x, filters), zeros, gradient)


def _pull(linear: Any, at: Any, gradient: Any) -> Any:
    if not jnp.issubdtype(at.dtype, np.inexact):
        raise ExecutionError(f"the gradient of a convolution of {at.dtype}; expected floats")
    result, pull = jax.vjp(linear, at)
    if result.shape != gradient.shape:
        raise ExecutionError(f"gradient {gradient.shape} for an output {result.shape}")
    return pull(gradient)[0]
