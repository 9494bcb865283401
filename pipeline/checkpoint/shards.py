"""Which data file of a sharded checkpoint each tensor goes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def shards_by_device(tensors: Mapping[str, Any]) -> dict[str, int]:
    """The data file of each tensor, one per device; what has no device is with the first."""
    devices = {name: str(getattr(value, "device", "")) for name, value in tensors.items()}
    order = sorted(set(devices.values()))
    return {name: order.index(device) for name, device in devices.items()}


def shards_by_size(tensors: Mapping[str, Any], count: int) -> dict[str, int]:
    """The data file of each tensor, of `count` or one per tensor: the largest go first, each to the
    file that is the smallest so far; files are numbered in the order of their first tensor."""
    filled = [0] * min(count, max(1, len(tensors)))
    chosen: dict[str, int] = {}
    sizes = {name: _size(value) for name, value in tensors.items()}
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        chosen[name] = min(range(len(filled)), key=lambda file: (filled[file], file))
        filled[chosen[name]] += max(1, sizes[name])
    order = list(dict.fromkeys(chosen[name] for name in tensors))
    return {name: order.index(chosen[name]) for name in tensors}


def _size(value: Any) -> int:
    """About how many bytes a value takes; what cannot be saved is refused elsewhere."""
    itemsize = getattr(getattr(value, "dtype", None), "itemsize", 8)
    return math.prod(getattr(value, "shape", ())) * int(itemsize)
