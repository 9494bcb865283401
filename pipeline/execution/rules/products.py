"""Convolutions as matrix products, where XLA's CPU compiler runs those faster.

A 1×1 filter is a matrix product over the channels. A 3×3 filter is sixteen of them by Winograd's
minimal filtering, F(2×2, 3×3), with 16 multiplications in the place of 36:
Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), §4.1. The transforms hold
0, ±1 and ±½ only; rounding errors are about twice those of the sum written out.

`benchmarks/execution.py` measures what this gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

Pairs = Sequence[tuple[int, int]]

_TILE_BYTES = 8 << 20     # transformed tiles at a time; more of them fall out of the cache
_LEAST_TILES = 128        # fewer do not pay for the transform of the filters
_LEAST_CHANNELS = 64
# G for filters of three taps, along both axes at once
_TAPS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_FILTERS = np.kron(_TAPS, _TAPS)


def as_products(x: Any, filters: Any, strides: Sequence[int], pads: Pairs) -> Any | None:
    """The convolution of NHWC images with HWIO filters; None where `lax` is the faster way.

    Args:
        x: [batch, height, width, in].
        filters: [filter height, filter width, in, out]; neither dilated nor grouped.
        strides: along height and width.
        pads: before and after height and width.
    """
    if jax.default_backend() != "cpu" or not x.dtype == filters.dtype == np.float32:
        return None
    if filters.shape[:2] == (1, 1) and not np.any(pads):
        strided = x[:, ::strides[0], ::strides[1]]
        return lax.dot_general(strided, filters[0, 0], (((3,), (0,)), ((), ())))
    if filters.shape[:2] != (3, 3) or tuple(strides) != (1, 1):
        return None
    if min(filters.shape[2:]) < _LEAST_CHANNELS or np.min(pads) < 0:
        return None
    batch, *sizes = x.shape[:3]
    tiles = [-(-(size + sum(pad) - 2) // 2) for size, pad in zip(sizes, pads, strict=True)]
    group = _group(batch, tiles[0] * tiles[1], filters.shape[2])
    if min(tiles) < 1 or group * tiles[0] * tiles[1] < _LEAST_TILES:
        return None
    return _convolve(x, filters, tuple(map(tuple, pads)), group)


@partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def _convolve(x: Any, filters: Any, pads: Pairs, group: int) -> Any:
    """The convolution of 3×3 filters, `group` examples at a time."""
    transformed = jnp.matmul(_FILTERS, filters.reshape(9, -1)).reshape(16, *filters.shape[2:])
    if group == x.shape[0]:
        return _winograd(x, transformed, pads)
    groups = x.reshape(-1, group, *x.shape[1:])
    found = lax.map(lambda part: _winograd(part, transformed, pads), groups)
    return found.reshape(x.shape[0], *found.shape[2:])


def _tangent(pads: Pairs, group: int, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The derivative as an ordinary convolution: its transpose is faster than this one's."""
    (x, filters), (dx, dfilters) = primals, tangents
    y = _convolve(x, filters, pads, group)
    terms = [_ordinary(*pair, pads) for pair in ((dx, filters), (x, dfilters))
             if not any(isinstance(each, SymbolicZero) for each in pair)]
    return y, sum(terms[1:], start=terms[0])


_convolve.defjvp(_tangent, symbolic_zeros=True)


def _ordinary(x: Any, filters: Any, pads: Pairs) -> Any:
    return lax.conv_general_dilated(x, filters, (1, 1), pads,
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _group(batch: int, tiles: int, channels: int) -> int:
    """How many examples to transform at a time: the largest divisor of the batch that fits."""
    most = _TILE_BYTES // max(1, 16 * tiles * channels * 4)
    return max((size for size in range(1, min(batch, most) + 1) if batch % size == 0), default=0)


def _winograd(x: Any, transformed: Any, pads: Pairs) -> Any:
    """The outputs of the 3×3 filters that `transformed` [16, in, out] holds, in tiles of 2×2."""
    height, width = (size + sum(pad) - 2 for size, pad in zip(x.shape[1:3], pads, strict=True))
    down, across = -(-height // 2), -(-width // 2)
    odd = (2 * down - height, 2 * across - width)
    full = [(low, high + more) for (low, high), more in zip(pads, odd, strict=True)]
    x = jnp.pad(x, [(0, 0), *full, (0, 0)])
    rows = _input_transform([x[:, i:i + 2 * down - 1:2] for i in range(4)])
    tiles = [each for row in rows for each in _input_transform(
        [row[:, :, i:i + 2 * across - 1:2] for i in range(4)])]
    stacked = jnp.stack(tiles).reshape(16, -1, x.shape[3])
    products = lax.dot_general(stacked, transformed, (((2,), (1,)), ((0,), (0,))))
    halves = [_output_transform(products[column::4]) for column in range(4)]
    outputs = [_output_transform([half[row] for half in halves]) for row in range(2)]
    y = jnp.stack([each for row in outputs for each in row], 1)      # [tiles, 4, out]
    y = y.reshape(x.shape[0], down, across, 2, 2, y.shape[-1]).transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(x.shape[0], 2 * down, 2 * across, y.shape[-1])[:, :height, :width]


def _input_transform(taps: Any) -> list[Any]:
    """Bᵀ applied to four neighbours."""
    a, b, c, d = taps
    return [a - c, b + c, c - b, b - d]


def _output_transform(products: Any) -> list[Any]:
    """Aᵀ applied to four products."""
    a, b, c, d = products
    return [a + b + c, b - c - d]
