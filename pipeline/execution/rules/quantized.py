"""Arithmetic with 8-bit numbers and the ranges they stand for, as TensorFlow 1 quantized graphs.

A quantized tensor is three: the numbers, and the floats that its least and greatest number stand
for. Sources: tensorflow/core/kernels/quantize_op.cc, dequantize_op.cc, quantization_utils.h,
quantized_*_op.cc.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.quantization import alone
from pipeline.execution.values import is_static, operands, to_jax

_INT, _BYTE = dtypes.NUMBER["QINT32"], dtypes.NUMBER["QUINT8"]
_MODES = "mode round_mode narrow_range axis ensure_minimum_range"


def _limits(number: int) -> tuple[int, int, np.dtype[Any]]:
    dtype: np.dtype[Any] = dtypes.to_numpy(number)
    found = np.iinfo(dtype)
    return int(found.min), int(found.max), dtype


def _rounded_away(x: Any) -> Any:
    """Halves away from 0, as std::round."""
    whole = jnp.trunc(x)
    return jnp.where(jnp.abs(x - whole) >= 0.5, whole + jnp.sign(x), whole)


@rule("QuantizeV2", attrs=f"T {_MODES}")
def _quantize(node: Node, x: Any, low: Any, high: Any) -> Any:
    xp, low, high = operands(low, high)    # a known range stays known
    x = to_jax(x)
    least, most, dtype = _limits(node["T"])
    axis = node["axis"]
    shape = [] if axis == -1 else [-1 if each == axis else 1 for each in range(x.ndim)]
    given_low, low = low, xp.minimum(np.float32(0), low)
    near = xp.maximum(np.float32(1), xp.maximum(xp.abs(given_low), xp.abs(high)))
    high = xp.maximum(np.float32(0), xp.maximum(
        high, low + near * np.float32(node["ensure_minimum_range"])))
    if node["mode"] == "SCALED":
        least += int(node["narrow_range"]) if least else 0
        largest = jnp.finfo(jnp.float32).max
        low, high = to_jax(low), to_jax(high)
        scale = jnp.minimum(jnp.where(least * low > 0, least / low, largest),
                            jnp.where(most * high > 0, most / high, largest))
        low, high = least / scale, most / scale
    wide_low, wide_high = to_jax(low).reshape(shape), to_jax(high).reshape(shape)
    clamped = jnp.maximum(jnp.minimum(x, wide_high), wide_low)
    if node["mode"] == "SCALED":
        product = alone(clamped * scale.reshape(shape))
        steps = jnp.rint(product) if node["round_mode"] == "HALF_TO_EVEN" else (
            _rounded_away(product))
    elif node["mode"] == "MIN_FIRST":
        scale = (most - least) / (wide_high - wide_low)
        steps = _rounded_away(alone(x * scale)) - (_rounded_away(alone(wide_low * scale)) - least)
    else:
        scale = (most - least) / (wide_high - wide_low)
        steps = alone((clamped - wide_low) * scale)
        half = (most - least + 1) / 2
        steps = _rounded_away(steps - half) if least else jnp.floor(steps + 0.5)
    return jnp.clip(steps, least, most).astype(dtype), low, high


@rule("Dequantize", attrs="mode narrow_range axis dtype")
def _dequantize(node: Node, x: Any, low: Any, high: Any) -> Any:
    x, low, high = map(to_jax, (x, low, high))
    least, most, _ = _limits(node["T"])
    axis = node["axis"]
    shape = [] if axis == -1 else [-1 if each == axis else 1 for each in range(x.ndim)]
    low, high = low.reshape(shape), high.reshape(shape)
    return _floats(node, x.astype(jnp.float32), low, high, least, most).astype(
        dtypes.to_numpy(node["dtype"]))


def _floats(node: Node, x: Any, low: Any, high: Any, least: int, most: int) -> Any:
    if node["mode"] == "SCALED":
        least += int(node["narrow_range"]) if least else 0
        return x * (high / most if not least else jnp.maximum(low / least, high / most))
    scale = (high - low) / (most - least)
    if node["mode"] == "MIN_FIRST":
        begin = jnp.where(high == low, low, _rounded_away(low / scale) * scale)
        return (begin - least * scale) + x * scale
    half = (most - least + 1) / 2 if least else 0
    return (x + half) * scale + low


def _level(number: int, low: Any, high: Any) -> Any:
    """What one step of a type stands for."""
    least, most, _ = _limits(number)
    return (to_jax(high) - to_jax(low)) / float(most - least)


def _zero(number: int, low: Any, high: Any) -> Any:
    """The number that stands for 0."""
    least, most, _ = _limits(number)
    if is_static(low) and is_static(high):    # in all digits, as `FloatToQuantizedUnclamped`
        steps = most - least + 1
        spread = float(np.float32(high) - np.float32(low)) * (steps / (steps - 1.0))
        place = float(low) * (steps / spread)
        return np.int32(np.clip(least - np.sign(place) * np.floor(abs(place) + 0.5), least, most))
    return jnp.clip(least - _begin(number, low, high), least, most).astype(jnp.int32)


def _begin(number: int, low: Any, high: Any) -> Any:
    """How many whole steps the range begins away from 0.

    By a product: XLA would make another quotient of a quotient by a quotient.
    """
    least, most, _ = _limits(number)
    inverse = alone(float(most - least) / (to_jax(high) - to_jax(low)))
    return _rounded_away(alone(to_jax(low) * inverse))


def _product_range(node: Node, a: str, b: str, out: int, *ends: Any) -> tuple[Any, Any]:
    level = _level(node[a], *ends[:2]) * _level(node[b], *ends[2:])
    least, most, _ = _limits(out)
    return level * float(least), level * float(most)


@rule("QuantizedMatMul", attrs="transpose_a transpose_b Toutput Tactivation T1 T2")
def _mat_mul(
    node: Node, a: Any, b: Any, low_a: Any, high_a: Any, low_b: Any, high_b: Any
) -> Any:
    left = to_jax(a).astype(jnp.int32) - _zero(node["T1"], low_a, high_a)
    right = to_jax(b).astype(jnp.int32) - _zero(node["T2"], low_b, high_b)
    left, right = (each.T if node[key] else each
                   for each, key in ((left, "transpose_a"), (right, "transpose_b")))
    return (jnp.matmul(left, right), *_product_range(
        node, "T1", "T2", node["Toutput"], low_a, high_a, low_b, high_b))


@rule("QuantizedConv2D", attrs="strides padding dilations out_type Tinput Tfilter")
def _conv(
    node: Node, x: Any, filters: Any, low_x: Any, high_x: Any, low_f: Any, high_f: Any
) -> Any:
    wide = to_jax(x).astype(jnp.int32) - _zero(node["Tinput"], low_x, high_x)
    kernel = to_jax(filters).astype(jnp.int32) - _zero(node["Tfilter"], low_f, high_f)
    found = lax.conv_general_dilated(
        wide, kernel, node["strides"][1:3], node["padding"], rhs_dilation=node["dilations"][1:3],
        dimension_numbers=("NHWC", "HWIO", "NHWC"), preferred_element_type=jnp.int32)
    return (found, *_product_range(node, "Tinput", "Tfilter", node["out_type"],
                                   low_x, high_x, low_f, high_f))


def _to_float(x: Any, number: int, low: Any, high: Any) -> Any:
    """As `QuantizedToFloat`, but in the digits that are at hand."""
    least, _, dtype = _limits(number)
    scale = _level(number, low, high)
    begin = _begin(number, low, high) * scale
    if dtype == np.int32:    # 2^31 steps from the least one would cost a float's last digits
        return x.astype(jnp.float32) * scale
    return begin + (x.astype(jnp.float32) - least) * scale


def _to_steps(x: Any, number: int, low: Any, high: Any) -> Any:
    least, most, dtype = _limits(number)
    if dtype == np.int32:
        return _rounded_away(x / _level(number, low, high)).astype(dtype)
    scale = (most - least) / (to_jax(high) - to_jax(low))
    steps = _rounded_away(x * scale) - _rounded_away(to_jax(low) * scale) + least
    return jnp.clip(steps, least, most).astype(dtype)


@rule("RequantizationRange", attrs="Tinput")
def _used_range(node: Node, x: Any, low: Any, high: Any) -> Any:
    """The range that the numbers really take; 0 always lies in it."""
    x = to_jax(x)
    ends = [_to_float(each, node["Tinput"], low, high) for each in (x.min(), x.max())]
    return jnp.minimum(ends[0], 0), jnp.maximum(ends[1], 0)


@rule("Requantize", attrs="Tinput out_type")
def _requantize(node: Node, x: Any, low: Any, high: Any, new_low: Any, new_high: Any) -> Any:
    values = _to_float(to_jax(x), node["Tinput"], low, high)
    if (node["Tinput"], node["out_type"]) == (_INT, _BYTE):
        # in fixed point the begin of the range is not brought to a whole step
        new_low, new_high = to_jax(new_low), to_jax(new_high)
        steps = jnp.floor((values - new_low) * (255 / (new_high - new_low)) + 0.5)
        return jnp.clip(steps, 0, 255).astype(jnp.uint8), new_low, new_high
    return (_to_steps(values, node["out_type"], new_low, new_high), to_jax(new_low),
            to_jax(new_high))


@rule("QuantizeDownAndShrinkRange", attrs="Tinput out_type")
def _shrink(node: Node, x: Any, low: Any, high: Any) -> Any:
    new_low, new_high = _used_range(node, x, low, high)
    return _requantize(node, x, low, high, new_low, new_high)


@rule("QuantizedBiasAdd", attrs="T1 T2 out_type")
def _bias_add(
    node: Node, x: Any, bias: Any, low_x: Any, high_x: Any, low_b: Any, high_b: Any
) -> Any:
    low_x, high_x, low_b, high_b = map(to_jax, (low_x, high_x, low_b, high_b))
    widest = jnp.maximum(jnp.maximum(-low_x, high_x), jnp.maximum(-low_b, high_b))
    total = widest * (1 << 17)
    values = (_to_float(to_jax(x), node["T1"], low_x, high_x)
              + _to_float(to_jax(bias), node["T2"], low_b, high_b))
    return _to_steps(values, node["out_type"], -total, total), -total, total


@rule("QuantizedRelu", "QuantizedRelu6", attrs="out_type Tinput")
def _relu(node: Node, x: Any, low: Any, high: Any) -> Any:
    x = to_jax(x)
    found = jnp.maximum(x, _zero(node["Tinput"], low, high).astype(x.dtype))
    if node.op == "QuantizedRelu6":
        six = _to_steps(jnp.asarray(6.0), node["Tinput"], low, high)
        found = jnp.minimum(found, six.astype(x.dtype))
    return found, to_jax(low), to_jax(high)


@rule("QuantizedReshape", static=(1,), attrs="Tshape")
def _reshape(node: Node, x: Any, shape: Any, low: Any, high: Any) -> Any:
    return to_jax(x).reshape([int(size) for size in shape]), to_jax(low), to_jax(high)


@rule("QuantizedMaxPool", attrs="ksize strides padding")
def _max_pool(node: Node, x: Any, low: Any, high: Any) -> Any:
    x = to_jax(x)
    least = np.iinfo(x.dtype).min
    found = lax.reduce_window(x, np.asarray(least, x.dtype), lax.max, tuple(node["ksize"]),
                              tuple(node["strides"]), node["padding"])
    return found, to_jax(low), to_jax(high)


@rule("QuantizedConcat", static=(0,), attrs="N")
def _concat(node: Node, axis: Any, *inputs: Any) -> Any:
    """Values of other ranges are brought to the widest of all."""
    count = node["N"]
    parts, lows, highs = (inputs[place * count:(place + 1) * count] for place in range(3))
    low = jnp.minimum(0, jnp.min(jnp.stack([to_jax(each) for each in lows])))
    high = jnp.max(jnp.stack([to_jax(each) for each in highs]))
    if not np.issubdtype(np.asarray(parts[0]).dtype if isinstance(parts[0], np.ndarray)
                         else parts[0].dtype, np.integer):
        raise ExecutionError("joins arrays that are not quantized")
    moved = [_to_steps(_to_float(to_jax(part), node["T"], a, b), node["T"], low, high)
             for part, a, b in zip(parts, lows, highs, strict=True)]
    return jnp.concatenate(moved, int(axis)), low, high
