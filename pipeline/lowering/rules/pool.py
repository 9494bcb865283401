"""Windows that are reduced: MaxPool, AvgPool, and what can be made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pipeline.lowering.builder import Builder, Operand, Tensor
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.shape import pad
from pipeline.lowering.window import padding_name


def window(e: Equation) -> dict[str, Any]:
    """The attributes of a pooling op for an image [batch, height, width, channels].

    `padding` is empty when it is neither SAME nor VALID.
    """
    params = e.params
    if len(params["window_dimensions"]) != 4:
        raise Unsupported(f"{len(params['window_dimensions'])} dimensions; expected 4")
    for name in ("base_dilation", "window_dilation"):
        if any(step != 1 for step in params[name]):
            raise Unsupported(name)
    size, strides = params["window_dimensions"], params["window_strides"]
    if size[0] != 1 or size[3] != 1 or strides[0] != 1 or strides[3] != 1:
        raise Unsupported(f"a window {size} over batch or channels")
    padding = padding_name(e.inputs[0].shape, e.output.shape, size, strides, params["padding"])
    return {"ksize": list(size), "strides": list(strides), "padding": padding}


@rule("reduce_window_max")
def _max(b: Builder, e: Equation) -> Tensor:
    attrs, image = window(e), b.full(e.inputs[0])
    if not attrs["padding"]:
        lowest = np.asarray(-math.inf, image.dtype)
        image, attrs["padding"] = pad(b, image, list(e.params["padding"]), lowest), "VALID"
    return b.op("MaxPool", image, shape=e.output.shape, **attrs)


@rule("reduce_window_sum")
def _sum(b: Builder, e: Equation) -> Tensor:
    """The average over windows that count their padding, times the window's size."""
    attrs, image = window(e), b.full(e.inputs[0])
    if attrs["padding"] != "VALID":
        zero = np.zeros((), image.dtype)
        image, attrs["padding"] = pad(b, image, list(e.params["padding"]), zero), "VALID"
    average = b.op("AvgPool", image, shape=e.output.shape, **attrs)
    return b.op("Mul", average, np.asarray(math.prod(attrs["ksize"]), image.dtype))


@rule("nn.avg_pool")
def _avg_pool(b: Builder, e: Equation) -> Operand:
    """The sum over a window divided by how many elements it has (`padding_counts` or not)."""
    attrs, image = window(e), b.full(e.inputs[0])
    if attrs["padding"] != "VALID" and (e.params["padding_counts"] or not attrs["padding"]):
        zero = np.zeros((), image.dtype)
        image, attrs["padding"] = pad(b, image, list(e.params["padding"]), zero), "VALID"
    return b.op("AvgPool", image, shape=e.output.shape, **attrs)
