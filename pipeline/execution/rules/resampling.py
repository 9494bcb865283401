"""Pictures scaled and moved by a kernel, and the parts of volumes.

Source: tensorflow/core/kernels/image/scale_and_translate_op.cc, sampling_kernels.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax, vector

_LEAST = 1000 * np.finfo(np.float32).tiny    # a smaller sum of weights is taken for none


def _lanczos(radius: float) -> Callable[[Any], Any]:
    return lambda x: np.where(np.abs(x) > radius, 0, np.sinc(x) * np.sinc(x / radius))


def _gaussian(x: Any) -> Any:
    return np.where(np.abs(x) >= 1.5, 0, np.exp(-2 * np.square(x)))


def _keys(x: Any) -> Any:
    return np.where(x >= 2, 0, np.where(
        x >= 1, ((-0.5 * x + 2.5) * x - 4) * x + 2, ((1.5 * x - 2.5) * x) * x + 1))


def _mitchell(x: Any) -> Any:
    return np.where(x >= 2, 0, np.where(
        x >= 1, (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9,
        (((7 / 6) * x - 2) * x) * x + 8 / 9))


# radius and weight of each kernel, by its name
_KERNELS: dict[str, tuple[float, Callable[[Any], Any]]] = {
    "lanczos1": (1, _lanczos(1)), "lanczos3": (3, _lanczos(3)), "lanczos5": (5, _lanczos(5)),
    "gaussian": (1.5, _gaussian), "keyscubic": (2, _keys), "mitchellcubic": (2, _mitchell),
    "box": (1, lambda x: np.where(x < 0.5, 1.0, np.where(x == 0.5, 0.5, 0.0))),
    "triangle": (1, lambda x: np.maximum(1 - x, 0)),
}


def _weights(node: Node, size: int, wanted: int, scale: float, move: float) -> Any:
    """How much of each old pixel each new one takes [wanted, size]."""
    radius, kernel = _KERNELS[node["kernel_type"]]
    inverse = np.float32(1) / np.float32(scale)
    stretch = max(inverse, np.float32(1)) if node["antialias"] else np.float32(1)
    places = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * inverse - (
        inverse * np.float32(move))
    reach = np.float32(radius) * stretch
    begin = np.clip(np.ceil(places - reach - np.float32(0.5)), 0, size - 1)[:, None]
    end = np.clip(np.floor(places + reach - np.float32(0.5)), 0, size - 1)[:, None]
    sources = np.arange(size, dtype=np.float32)
    found = kernel(np.abs((sources + np.float32(0.5) - places[:, None]) / stretch))
    found = np.where((sources >= begin) & (sources <= end), found, 0)
    total = found.sum(1, keepdims=True)
    found = np.where(np.abs(total) >= _LEAST, found / np.where(total == 0, 1, total), 0)
    outside = ((places < 0) | (places > size))[:, None]
    return np.where(outside, 0, found).astype(np.float32)


def _both(node: Node, sizes: Any, wanted: Any, scale: Any, move: Any) -> Any:
    return [_weights(node, *each) for each in zip(sizes, wanted, scale, move, strict=True)]


@rule("ScaleAndTranslate", static=(1, 2, 3), attrs="kernel_type antialias")
def _scale_and_translate(node: Node, x: Any, size: Any, scale: Any, move: Any) -> Any:
    rows, columns = _both(node, x.shape[1:3], vector(size), scale, move)
    return jnp.einsum("oh,pw,bhwc->bopc", rows, columns, to_jax(x).astype(jnp.float32),
                      precision=lax.Precision.HIGHEST)


@rule("ScaleAndTranslateGrad", static=(2, 3), attrs="kernel_type antialias")
def _scale_and_translate_grad(
    node: Node, gradient: Any, original: Any, scale: Any, move: Any
) -> Any:
    gradient = to_jax(gradient)
    rows, columns = _both(node, original.shape[1:3], gradient.shape[1:3], scale, move)
    return jnp.einsum("oh,pw,bopc->bhwc", rows, columns, gradient,
                      precision=lax.Precision.HIGHEST)


@rule("ExtractVolumePatches", attrs="ksizes strides padding")
def _volume_patches(node: Node, x: Any) -> Any:
    """Each window's voxels in the last axis, plane by plane."""
    x, window, strides = to_jax(x), node["ksizes"][1:4], node["strides"][1:4]
    pads = lax.padtype_to_pads(x.shape[1:4], window, strides, node["padding"])
    padded = jnp.pad(x, [(0, 0), *pads, (0, 0)])
    counts = [(size - span) // step + 1 for size, span, step in zip(
        padded.shape[1:4], window, strides, strict=True)]
    return jnp.concatenate([padded[(slice(None), *(
        slice(first, first + (count - 1) * step + 1, step)
        for first, count, step in zip(begin, counts, strides, strict=True)))]
        for begin in np.ndindex(*window)], -1)
