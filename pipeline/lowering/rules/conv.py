"""Convolution: Conv2D, DepthwiseConv2dNative, Conv3D and Conv2DBackpropInput, channels last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import DType, Equation, Shape, Value
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.shape import (
    flip,
    pad_or_cut,
    spread,
    strided_slice,
    transpose,
)
from pipeline.lowering.tensor import Operand, Tensor
from pipeline.lowering.window import Amounts, padding_name, transposed_padding_name


@dataclass(frozen=True)
class _Window:
    """How the kernel moves: one entry for each spatial dimension."""

    strides: tuple[int, ...]
    amounts: Amounts
    gaps: tuple[int, ...]        # between the image's pixels: lhs_dilation
    dilation: tuple[int, ...]    # of the kernel: rhs_dilation
    groups: int


@rule("conv_general_dilated")
def _conv(b: Builder, e: Equation) -> Operand:
    numbers, params = e.params["dimension_numbers"], e.params
    rank = len(numbers.lhs_spec) - 2
    if params["batch_group_count"] != 1:
        raise Unsupported("batch_group_count")
    if rank not in (1, 2, 3):
        raise Unsupported(f"{rank} spatial dimensions")
    dtype = _computed_in(e.output.dtype, rank)
    image = b.cast(b.full(e.inputs[0]), dtype)
    image = transpose(b, image, _channels_last(numbers.lhs_spec))
    # rhs_spec: output channels, input channels, spatial
    order = (*numbers.rhs_spec[2:], *numbers.rhs_spec[1::-1])
    window = _Window(tuple(params["window_strides"]), tuple(params["padding"]),
                     tuple(params["lhs_dilation"]), tuple(params["rhs_dilation"]),
                     params["feature_group_count"])
    kernel = b.cast(_kernel(b, e.inputs[1], order, window), dtype)
    back = _channels_last(numbers.out_spec)
    shape = tuple(e.output.shape[axis] for axis in back)
    made = b.cast(_lower(b, window, image, kernel, shape), e.output.dtype)
    return transpose(b, made, [int(axis) for axis in np.argsort(back)])


def _channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    """`spec` gives the axes of batch, channels, spatial; wanted: batch, spatial, channels."""
    return (spec[0], *spec[2:], spec[1])


def _computed_in(dtype: DType, rank: int) -> DType:
    """Integers are convolved in float64, which holds them exactly; Conv3D knows no half on CPUs."""
    if dtype.kind in "iub":
        return np.dtype(np.float64 if rank < 3 else np.float32)
    return dtype


def _kernel(b: Builder, value: Value, order: tuple[int, ...], window: _Window) -> Operand:
    """The kernel as [spatial…, in, out]; a known one is rearranged here, not in the graph."""
    plain = window.groups == 1 and all(gap == 1 for gap in window.gaps)
    if any(step != 1 for step in window.dilation):
        plain &= len(window.strides) < 3 and (b.opset.modern or set(window.strides) == {1})
    moved = order != tuple(sorted(order))
    turned = b.transposed_variable(value, order) if plain and moved else None
    if turned is not None:
        return turned
    if value.constant is not None and (moved or not plain):
        return np.broadcast_to(value.constant, value.shape).transpose(order)
    return transpose(b, b.full(value), order)


def _lower(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> Operand:
    if len(window.strides) == 1:    # an image of height 1
        wide = _Window((window.strides[0],) * 2, ((0, 0), *window.amounts), (1, *window.gaps),
                       (1, *window.dilation), window.groups)
        line = b.reshape(image, (image.shape[0], 1, *image.shape[1:]))
        rows = b.reshape(kernel, (1, *kernel.shape))
        made = _lower(b, wide, line, rows, (shape[0], 1, *shape[1:]))
        return b.op("Squeeze", made, shape=shape, squeeze_dims=[1])
    if any(gap != 1 for gap in window.gaps):
        padding = _transposed_padding(window, image, kernel, shape)
        if padding:
            return _backprop(b, window, image, kernel, shape, padding)
        zero = np.zeros((), image.dtype)
        image = spread(b, image, (0, *(gap - 1 for gap in window.gaps), 0), zero)
    channels = image.shape[-1]
    if window.groups == 1:
        return _direct(b, window, image, kernel, shape)
    if len(window.strides) == 2 and window.groups == channels:
        return _depthwise(b, window, image, kernel, shape)
    return _grouped(b, window, image, kernel, shape)


def _placed(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> tuple[Operand, str]:
    """The image and the padding for it: itself and SAME or VALID, or one padded here."""
    extent = [(size - 1) * step + 1 for size, step in
              zip(kernel.shape[:len(window.strides)], window.dilation, strict=True)]
    padding = padding_name(image.shape[1:-1], shape[1:-1], extent, window.strides, window.amounts)
    if padding:
        return image, padding
    zero = np.zeros((), image.dtype)
    return pad_or_cut(b, image, [(0, 0), *window.amounts, (0, 0)], zero), "VALID"


def _direct(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> Operand:
    op = "Conv3D" if len(window.strides) == 3 else "Conv2D"
    if op == "Conv2D" and window.dilation != (1, 1) and not b.opset.modern:
        return _atrous(b, window, image, kernel, shape)
    image, padding = _placed(b, window, image, kernel, shape)
    if op == "Conv3D":
        kernel = _dilated(b, window, kernel)
        return b.op(op, image, kernel, shape=shape, strides=[1, *window.strides, 1],
                    padding=padding)
    return b.op(op, image, kernel, shape=shape, strides=[1, *window.strides, 1], padding=padding,
                dilations=[1, *window.dilation, 1])


def _atrous(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> Operand:
    """A dilated Conv2D where the op knows no dilations.

    As tf.nn.atrous_conv2d does it: of every `dilation` rows and columns a smaller image, convolved
    and put together again. With strides, or a size known only at run time, the kernel is dilated.
    """
    sizes = image.shape[1:3]
    cut = any(low < 0 or high < 0 for low, high in window.amounts) if dims.is_known(sizes) else True
    if window.strides != (1, 1) or cut or 0 in shape[1:3]:
        kernel = _dilated(b, window, kernel)
        return _direct(b, replace(window, dilation=(1, 1)), image, kernel, shape)
    block = np.asarray(window.dilation, np.int32)
    spare = [-(size + low + high) % step for size, (low, high), step in
             zip(sizes, window.amounts, window.dilation, strict=True)]
    paddings = [(low, high + more) for (low, high), more in
                zip(window.amounts, spare, strict=True)]
    padded = [(size + low + high) // step for size, (low, high), step in
              zip(sizes, paddings, window.dilation, strict=True)]
    batch = image.shape[0] * int(block.prod())
    parts = b.op("SpaceToBatchND", image, block, np.asarray(paddings, np.int32),
                 shape=(batch, *padded, image.shape[3]))
    dense = [size - width + 1 for size, width in zip(padded, kernel.shape[:2], strict=True)]
    made = b.op("Conv2D", parts, kernel, shape=(batch, *dense, shape[3]), strides=[1, 1, 1, 1],
                padding="VALID")
    crops = np.asarray([(0, more) for more in spare], np.int32)
    return b.op("BatchToSpaceND", made, block, crops, shape=shape)


def _dilated(b: Builder, window: _Window, kernel: Operand) -> Operand:
    """Zeros between the kernel's elements, for ops whose kernels know no dilation."""
    gaps = [step - 1 for step in window.dilation]
    return spread(b, kernel, (*gaps, 0, 0), np.zeros((), kernel.dtype))


def _depthwise(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> Operand:
    """One group for each channel; the kernel [h, w, 1, in · m] becomes [h, w, in, m]."""
    channels = image.shape[-1]
    kernel = _dilated(b, window, kernel)
    window = _Window(window.strides, window.amounts, window.gaps, (1, 1), window.groups)
    kernel = b.reshape(kernel, (*kernel.shape[:2], channels, kernel.shape[-1] // channels))
    image, padding = _placed(b, window, image, kernel, shape)
    step = window.strides
    if step[0] == step[1]:
        return b.op("DepthwiseConv2dNative", image, kernel, shape=shape, padding=padding,
                    strides=[1, *step, 1])
    # the op moves by the same step both ways: by 1, and what is between is left out
    if padding == "SAME":
        zero = np.zeros((), image.dtype)
        image = pad_or_cut(b, image, [(0, 0), *window.amounts, (0, 0)], zero)
    dense = tuple(size - width + 1 for size, width in
                  zip(image.shape[1:3], kernel.shape[:2], strict=True))
    whole = b.op("DepthwiseConv2dNative", image, kernel, padding="VALID", strides=[1, 1, 1, 1],
                 shape=(shape[0], *dense, shape[3]))
    return strided_slice(b, whole, (0, 0, 0, 0), whole.shape, (1, *step, 1), shape)


def _grouped(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> Tensor:
    """A convolution for each group of channels, joined."""
    axis = len(image.shape) - 1
    images = b.split(image, window.groups, axis)
    kernels = b.split(kernel, window.groups, axis)
    part = (*shape[:-1], shape[-1] // window.groups)
    parts = [_direct(b, window, x, w, part) for x, w in zip(images, kernels, strict=True)]
    return b.op("ConcatV2", *parts, np.asarray(axis, np.int32), shape=shape)


def _transposed_padding(
    window: _Window, image: Operand, kernel: Operand, shape: Shape
) -> str:
    plain = (len(window.gaps) == 2 and window.groups == 1
             and all(step == 1 for step in (*window.strides, *window.dilation)))
    if not plain or not dims.is_known(kernel.shape):
        return ""
    return transposed_padding_name(image.shape[1:-1], shape[1:-1], kernel.shape[:2], window.gaps,
                                   window.amounts)


def _backprop(
    b: Builder, window: _Window, image: Operand, kernel: Operand, shape: Shape, padding: str
) -> Tensor:
    """The kernel [h, w, in, out], turned around, is that of the convolution the other way."""
    turned = transpose(b, flip(b, kernel, (0, 1)), (0, 1, 3, 2))
    strides: list[Any] = [1, *window.gaps, 1]
    return b.op("Conv2DBackpropInput", b.sizes(shape), turned, image, shape=shape,
                strides=strides, padding=padding)
