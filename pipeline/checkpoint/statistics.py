"""Figures about a tensor's values, gathered piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIECE = 1 << 20  # elements that are held as float64 at a time


@dataclass(frozen=True)
class Statistics:
    """Of a tensor's finite values, a complex one by its magnitude; None where there are none."""

    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None  # the standard deviation
    zeros: int
    not_finite: int  # NaN and infinite ones


def compute_statistics(array: NDArray[Any]) -> Statistics | None:
    """The figures of a numeric array; None for strings."""
    if array.dtype == np.object_:
        return None
    count, total, squares, zeros = 0, 0.0, 0.0, 0
    low, high = math.inf, -math.inf
    for piece in _pieces(array):
        if piece.dtype.kind == "c":
            piece = np.abs(piece)
        finite = piece[np.isfinite(piece)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            count, total = count + finite.size, total + float(finite.sum())
            squares += float(np.square(finite).sum())
            zeros += int((finite == 0).sum())
    if count == 0:
        return Statistics(None, None, None, None, 0, int(array.size))
    mean = total / count
    deviation = math.sqrt(max(0.0, squares / count - mean * mean))
    return Statistics(low, high, mean, deviation, zeros, int(array.size) - count)


def largest_difference(first: NDArray[Any], second: NDArray[Any]) -> float:
    """The largest |first - second| of two numeric arrays of one shape; NaN equals NaN."""
    largest = 0.0
    for one, other in zip(_pieces(first), _pieces(second), strict=True):
        with np.errstate(invalid="ignore"):
            gaps = np.where((one == other) | (np.isnan(one) & np.isnan(other)), 0, abs(one - other))
        largest = max(largest, math.inf if np.isnan(gaps).any() else float(gaps.max(initial=0)))
    return largest


def _pieces(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The values in order, a million at a time, as float64 or complex128."""
    flat, wide = array.reshape(-1), np.complex128 if array.dtype.kind == "c" else np.float64
    for start in range(0, flat.size, _PIECE):
        yield flat[start : start + _PIECE].astype(wide)
