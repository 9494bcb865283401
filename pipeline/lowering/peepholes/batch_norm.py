"""Batch normalization of images, with moments that do not depend on the position.

    (x - mean) · rsqrt(variance + ε) · scale + offset     in any order of the factors, as flax does
    x · inv + (offset - mean · inv),  inv = rsqrt(variance + ε) · scale       as TensorFlow does
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.lowering.ir import Equation, Value, constant
from pipeline.lowering.peepholes.match import Found, Matcher, peephole


class _Inverse(NamedTuple):
    """rsqrt(variance + epsilon) · scale; without a scale it is None."""

    variance: Value
    epsilon: float
    scale: Value | None


def _is_image(value: Value) -> bool:
    return value.rank == 4 and isinstance(value.shape[-1], int) and value.dtype == np.float32


def _vector(matcher: Matcher, value: Value, channels: int) -> Value | None:
    """What lies behind a value of shape [c] or [1, …, 1, c], as a vector."""
    if value.shape == (channels,):
        return value
    vector = matcher.on_last_axis(value)
    return vector if vector is not None and vector.shape == (channels,) else None


def _bare(matcher: Matcher, value: Value) -> Value:
    """The value without the dimensions of 1 put before it."""
    return matcher.on_last_axis(value) or value


def _inverse(matcher: Matcher, value: Value, channels: int) -> _Inverse | None:
    value = _bare(matcher, value)
    root = matcher.made_by(value, "rsqrt")
    if root is not None:
        return _moments(matcher, root.inputs[0], channels)
    product = matcher.made_by(value, "mul")
    for left, right in (product.inputs, product.inputs[::-1]) if product else ():
        inverse, scale = _inverse(matcher, left, channels), _vector(matcher, right, channels)
        if inverse is not None and inverse.scale is None and scale is not None:
            return inverse._replace(scale=scale)
    return None


def _moments(matcher: Matcher, value: Value, channels: int) -> _Inverse | None:
    """The variance and ε that a value is the sum of."""
    added = matcher.made_by(_bare(matcher, value), "add")
    found = None if added is None else matcher.split_number(added)
    variance = None if found is None else _vector(matcher, found[0], channels)
    if found is None or variance is None:
        return None
    return _Inverse(variance, found[1], None)


def _found(
    x: Value, inverse: _Inverse, mean: Value, scale: Value | None, offset: Value | None
) -> Found:
    channels = x.shape[-1]
    return "nn.batch_norm", [
        x, scale or constant(np.ones(channels, np.float32)),
        offset or constant(np.zeros(channels, np.float32)), mean, inverse.variance,
    ], {"epsilon": inverse.epsilon, "scaled": scale is not None, "offset": offset is not None}


@peephole("mul")
def _normalized(matcher: Matcher, equation: Equation) -> Found:
    """(x - mean) · inv, or a normalization times its scale."""
    for image, factor in (equation.inputs, equation.inputs[::-1]):
        if not _is_image(image):
            continue
        done = matcher.made_by(image, "nn.batch_norm")
        scale = _vector(matcher, factor, image.shape[-1])
        if done is not None and scale is not None and not (
                done.params["scaled"] or done.params["offset"]):
            x, _, offset, mean, variance = done.inputs
            return "nn.batch_norm", [x, scale, offset, mean, variance], {
                **done.params, "scaled": True}
        centred = matcher.made_by(image, "sub")
        inverse = _inverse(matcher, factor, image.shape[-1])
        if centred is None or inverse is None or not _is_image(centred.inputs[0]):
            continue
        centre = _vector(matcher, centred.inputs[1], image.shape[-1])
        if centre is not None:
            return _found(centred.inputs[0], inverse, centre, inverse.scale, None)
    return None


@peephole("div")
def _divided(matcher: Matcher, equation: Equation) -> Found:
    """(x - mean) / sqrt(variance + ε), perhaps scaled before the division."""
    image, divisor = equation.inputs
    root = matcher.made_by(_bare(matcher, divisor), "sqrt")
    if root is None or not _is_image(image):
        return None
    channels = image.shape[-1]
    inverse = _moments(matcher, root.inputs[0], channels)
    product = matcher.made_by(image, "mul")
    pairs: list[tuple[Value, Value | None]] = [(image, None)]
    for left, right in (product.inputs, product.inputs[::-1]) if product else ():
        pairs.append((left, _vector(matcher, right, channels)))
    for image, scale in pairs:
        centred = matcher.made_by(image, "sub")
        mean = None if centred is None else _vector(matcher, centred.inputs[1], channels)
        if centred is not None and inverse is not None and mean is not None and (
                image is equation.inputs[0] or scale is not None):
            return _found(centred.inputs[0], inverse, mean, scale, None)
    return None


@peephole("add")
def _with_offset(matcher: Matcher, equation: Equation) -> Found:
    for image, other in (equation.inputs, equation.inputs[::-1]):
        if not _is_image(image):
            continue
        done = matcher.made_by(image, "nn.batch_norm")
        offset = _vector(matcher, other, image.shape[-1])
        if done is not None and offset is not None and not done.params["offset"]:
            x, scale, _, mean, variance = done.inputs
            return "nn.batch_norm", [x, scale, offset, mean, variance], {
                **done.params, "offset": True}
        found = _as_tensorflow(matcher, image, other)
        if found is not None:
            return found
    return None


def _as_tensorflow(matcher: Matcher, image: Value, rest: Value) -> Found:
    """x · inv + (offset - mean · inv)."""
    product, difference = matcher.made_by(image, "mul"), matcher.made_by(
        _bare(matcher, rest), "sub")
    channels = image.shape[-1]
    for x, factor in (product.inputs, product.inputs[::-1]) if product and difference else ():
        assert difference is not None
        inverse = _inverse(matcher, factor, channels)
        shift = matcher.made_by(_bare(matcher, difference.inputs[1]), "mul")
        offset = _vector(matcher, difference.inputs[0], channels)
        if inverse is None or shift is None or offset is None or not _is_image(x):
            continue
        for mean, other in (shift.inputs, shift.inputs[::-1]):
            vector = _vector(matcher, mean, channels)
            if vector is not None and _bare(matcher, other) is _bare(matcher, factor):
                return _found(x, inverse, vector, inverse.scale, offset)
    return None
