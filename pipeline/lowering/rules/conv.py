"""Convolution: Conv2D, DepthwiseConv2dNative and Conv3D over channels-last images."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.lowering.builder import Builder, Operand, Tensor
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.shape import pad, transpose
from pipeline.lowering.window import padding_name


@rule("conv_general_dilated")
def _conv(b: Builder, e: Equation) -> Operand:
    numbers = e.params["dimension_numbers"]
    rank = len(numbers.lhs_spec) - 2
    if e.params["batch_group_count"] != 1:
        raise Unsupported("batch_group_count")
    if any(step != 1 for step in e.params["lhs_dilation"]):
        raise Unsupported("lhs_dilation")
    if rank not in (1, 2, 3):
        raise Unsupported(f"{rank} spatial dimensions")
    image, kernel = (b.cast(each, e.output.dtype) for each in b.full_operands(e))
    image = transpose(b, image, _channels_last(numbers.lhs_spec))
    # rhs_spec: output channels, input channels, spatial
    kernel = transpose(b, kernel, (*numbers.rhs_spec[2:], *numbers.rhs_spec[1::-1]))
    order = _channels_last(numbers.out_spec)
    shape = tuple(e.output.shape[axis] for axis in order)
    made = _channels_last_conv(b, e, image, kernel, shape)
    return transpose(b, made, tuple(int(axis) for axis in np.argsort(order)))


def _channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    """`spec` gives the axes of batch, channels, spatial; wanted: batch, spatial, channels."""
    return (spec[0], *spec[2:], spec[1])


def _channels_last_conv(
    b: Builder, e: Equation, image: Operand, kernel: Operand, shape: Shape
) -> Tensor:
    strides, dilation = list(e.params["window_strides"]), list(e.params["rhs_dilation"])
    amounts = list(e.params["padding"])
    if len(strides) == 1:    # as an image of height 1
        wide = _Conv([1, *strides], [1, *dilation], [(0, 0), *amounts], e)
        line = (shape[0], 1, *shape[1:])
        made = wide.lower(b, _unsqueeze(b, image), b.reshape(kernel, (1, *kernel.shape)), line)
        return b.op("Squeeze", made, shape=shape, squeeze_dims=[1])
    return _Conv(strides, dilation, amounts, e).lower(b, image, kernel, shape)


def _unsqueeze(b: Builder, image: Operand) -> Tensor:
    axis = np.asarray(1, np.int32)
    return b.op("ExpandDims", image, axis, shape=(image.shape[0], 1, *image.shape[1:]))


class _Conv:
    """One convolution's window."""

    def __init__(
        self, strides: list[int], dilation: list[int], amounts: list[tuple[Any, Any]], e: Equation
    ) -> None:
        self.strides, self.dilation, self.amounts = strides, dilation, amounts
        self.groups = e.params["feature_group_count"]

    def lower(self, b: Builder, image: Operand, kernel: Operand, shape: Shape) -> Tensor:
        """The nodes for a channels-last image and a kernel [spatial…, in / groups, out]."""
        spatial = kernel.shape[:-2]
        extent = [(size - 1) * step + 1 for size, step in zip(spatial, self.dilation, strict=True)]
        padding = padding_name(image.shape[1:-1], shape[1:-1], extent, self.strides, self.amounts)
        if not padding:
            image, padding = self._padded(b, image), "VALID"
        attrs: dict[str, Any] = {"strides": [1, *self.strides, 1], "padding": padding}
        attrs["dilations"] = [1, *self.dilation, 1]
        channels = image.shape[-1]
        if self.groups == 1:
            return b.op("Conv3D" if len(spatial) == 3 else "Conv2D", image, kernel, shape=shape,
                        **attrs)
        if len(spatial) == 2 and self.groups == channels:
            # one group per channel; kernel [h, w, 1, in·m] → [h, w, in, m]
            kernel = b.reshape(kernel, (*spatial, channels, kernel.shape[-1] // channels))
            return b.op("DepthwiseConv2dNative", image, kernel, shape=shape, **attrs)
        return self._grouped(b, image, kernel, shape, attrs)

    def _padded(self, b: Builder, image: Operand) -> Tensor:
        amounts = [(0, 0), *self.amounts, (0, 0)]
        zero = np.zeros((), image.dtype)
        return pad(b, image, amounts, zero)

    def _grouped(
        self, b: Builder, image: Operand, kernel: Operand, shape: Shape, attrs: dict[str, Any]
    ) -> Tensor:
        """A convolution for each group of channels, joined."""
        axis = len(image.shape) - 1
        images = b.split(image, self.groups, axis)
        kernels = b.split(kernel, self.groups, axis)
        part = (*shape[:-1], shape[-1] // self.groups)
        op = "Conv3D" if axis == 4 else "Conv2D"
        parts = [b.op(op, x, w, shape=part, **attrs) for x, w in zip(images, kernels, strict=True)]
        return b.op("ConcatV2", *parts, np.asarray(axis, np.int32), shape=shape)
