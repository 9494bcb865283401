"""Layers with weights: turned into TFLite's layout, biases and batch norms folded into them.

    FULLY_CONNECTED [out, in] | CONV_2D [out, h, w, in] | DEPTHWISE_CONV_2D [1, h, w, in · m]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.tflite.builder import Builder
from pipeline.tflite.errors import Unsupported
from pipeline.tflite.model import Op, Value

_PADDING = {"SAME": 0, "VALID": 1}
_WITH_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def fully_connected(
    b: Builder, x: Value, weights: Value, y: Value, *, turned: bool
) -> None:
    """A product with constant weights, [out, in] if `turned`."""
    assert weights.data is not None
    kept = weights
    if not turned:
        kept = Value(f"{weights.name}/transpose", weights.shape[::-1], weights.dtype,
                     np.ascontiguousarray(weights.data.T))
    zeros = b.constant(y, "bias", np.zeros(kept.shape[0] or 0, np.float32))
    b.add("FULLY_CONNECTED", [x, kept, zeros], [y], ("FullyConnected", {}))


def conv_2d(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Grouped ones too."""
    kernel = _kernel(attrs, x)
    kept = Value(f"{x[1].name}/transpose", tuple(kernel.shape[at] for at in (3, 0, 1, 2)),
                 x[1].dtype, np.ascontiguousarray(kernel.transpose(3, 0, 1, 2)))
    groups = (x[0].shape[3] or 0) // kernel.shape[2]
    zeros = b.constant(y[0], "bias", np.zeros(kernel.shape[3], np.float32))
    data, padding = _padded(b, attrs, x[0], y[0])
    b.add("CONV_2D", [data, kept, zeros], y, ("Conv2D", _window(attrs, padding)),
          version=6 if groups > 1 else 1)


def depthwise_conv_2d(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Its channels are in the graph's order: input channel first, then the multiplier."""
    kernel = _kernel(attrs, x)
    height, width, channels, multiplier = kernel.shape
    kept = Value(f"{x[1].name}/depthwise", (1, height, width, channels * multiplier), x[1].dtype,
                 kernel.reshape(1, height, width, channels * multiplier))
    zeros = b.constant(y[0], "bias", np.zeros(channels * multiplier, np.float32))
    data, padding = _padded(b, attrs, x[0], y[0])
    window = _window(attrs, padding)
    dilated = (window["dilationHFactor"], window["dilationWFactor"]) != (1, 1)
    b.add("DEPTHWISE_CONV_2D", [data, kept, zeros], y,
          ("DepthwiseConv2D", {**window, "depthMultiplier": multiplier}),
          version=2 if dilated else 1)


def pool(builtin: str) -> Callable[..., None]:
    """Over height and width."""
    def rule(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
        _require_nhwc(attrs)
        one, height, width, last = attrs["ksize"]
        if (one, last) != (1, 1) or attrs["padding"] not in _PADDING:
            raise Unsupported("pools over height and width only, padded SAME or VALID")
        window = _window({**attrs, "dilations": [1, 1, 1, 1]}, attrs["padding"])
        fields = {key: window[key] for key in ("padding", "strideH", "strideW")}
        b.add(builtin, x, y, ("Pool2D", {**fields, "filterHeight": height, "filterWidth": width}))

    return rule


def bias_add(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Into the layer before it, or an ADD."""
    _require_nhwc(attrs)
    op = b.fusable(x[0], _WITH_BIAS)
    if op is None or x[1].data is None:
        b.add("ADD", x, y, ("Add", {}))
        return
    old = op.inputs[2].data
    assert old is not None
    op.inputs[2] = x[1] if not old.any() else b.constant(y[0], "bias", old + x[1].data)
    b.take_over(op, y[0])


def batch_norm(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """(x − mean) · scale / √(variance + ε) + offset, as weights and bias of a layer before."""
    _require_nhwc(attrs)
    if attrs["is_training"]:
        raise Unsupported("in training form")
    if any(value.data is None for value in x[1:5]):
        raise Unsupported("needs constant statistics")
    scale, offset, mean, variance = (np.asarray(value.data, np.float64) for value in x[1:5])
    factor = scale / np.sqrt(variance + attrs["epsilon"])
    shift = offset - mean * factor
    op = b.fusable(x[0], _WITH_BIAS)
    if op is not None:
        _fold(b, op, factor, shift, y[0])
        return
    scaled = b.between(y[0], "scaled", y[0].shape)
    b.add("MUL", [x[0], b.constant(y[0], "factor", factor.astype(np.float32))], [scaled],
          ("Mul", {}))
    b.add("ADD", [scaled, b.constant(y[0], "shift", shift.astype(np.float32))], y[:1], ("Add", {}))


def _fold(b: Builder, op: Op, factor: Any, shift: Any, result: Value) -> None:
    weights, bias = op.inputs[1], op.inputs[2]
    assert weights.data is not None
    assert bias.data is not None
    axis = 3 if op.builtin == "DEPTHWISE_CONV_2D" else 0
    along = factor.reshape([-1 if at == axis else 1 for at in range(weights.data.ndim)])
    op.inputs[1] = b.constant(result, "weights", (weights.data * along).astype(np.float32))
    op.inputs[2] = b.constant(result, "bias", (bias.data * factor + shift).astype(np.float32))
    b.take_over(op, result)


def _kernel(attrs: dict[str, Any], x: list[Value]) -> Any:
    _require_nhwc(attrs)
    if x[0].dtype != np.float32:
        raise Unsupported(f"has no kernel for {x[0].dtype}")
    if x[1].data is None:
        raise Unsupported("needs constant weights")
    return x[1].data


def _require_nhwc(attrs: dict[str, Any]) -> None:
    if attrs.get("data_format", "NHWC") != "NHWC":
        raise Unsupported(f"has no kernel for {attrs['data_format']}")


def _window(attrs: dict[str, Any], padding: str) -> dict[str, int]:
    strides, dilations = attrs["strides"], attrs.get("dilations") or [1, 1, 1, 1]
    return {"padding": _PADDING[padding], "strideH": strides[1], "strideW": strides[2],
            "dilationHFactor": dilations[1], "dilationWFactor": dilations[2]}


def _padded(b: Builder, attrs: dict[str, Any], x: Value, y: Value) -> tuple[Value, str]:
    """Explicit padding is a PAD before a VALID op."""
    if attrs["padding"] != "EXPLICIT":
        return x, attrs["padding"]
    pads = np.array(attrs["explicit_paddings"], np.int32).reshape(4, 2)
    sizes = tuple(None if size is None else size + int(around.sum())
                  for size, around in zip(x.shape, pads, strict=True))
    padded = Value(f"{y.name}/padded", sizes, x.dtype, readers=1)
    b.add("PAD", [x, b.constant(y, "paddings", pads)], [padded], ("Pad", {}))
    return padded, "VALID"
