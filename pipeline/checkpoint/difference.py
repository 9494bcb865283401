"""How two checkpoints differ."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import dtypes
from pipeline.checkpoint.opening import load_checkpoint
from pipeline.checkpoint.reader import CheckpointReader
from pipeline.checkpoint.statistics import largest_difference


@dataclass(frozen=True)
class Change:
    """A tensor that both have: what differs, and by how much at most where that is a number."""

    name: str
    what: str
    largest: float | None = None


@dataclass(frozen=True)
class Difference:
    """Names that only one of two checkpoints has, tensors that changed, and how many did not."""

    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    changed: tuple[Change, ...]
    equal: int

    def __bool__(self) -> bool:
        return bool(self.only_first or self.only_second or self.changed)

    def to_json(self) -> str:
        """All of it as a JSON object."""
        import json

        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    def __str__(self) -> str:
        lines = [f"- {name}" for name in self.only_first]
        lines += [f"+ {name}" for name in self.only_second]
        lines += [f"! {change.name}: {change.what}" for change in self.changed]
        return "\n".join([*lines, f"{self.equal} equal, {len(self.changed)} changed, "
                                  f"{len(self.only_first)} only in the first, "
                                  f"{len(self.only_second)} only in the second"])


def compare_checkpoints(
    first: str | os.PathLike[str], second: str | os.PathLike[str]
) -> Difference:
    """What changed from the first checkpoint to the second, each a prefix or a directory.

    Tensors whose stored checksums agree count as equal without being read.

    Raises:
        NotFoundError, DataLossError, UnimplementedError: as `load_checkpoint` and `get_tensor` do.
    """
    one, other = load_checkpoint(first), load_checkpoint(second)
    return _difference(one, other, lambda name: _compare(one, other, name))


def compare_arrays(
    first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]]
) -> Difference:
    """What changed from some arrays by name to others; every common one is read."""
    return _difference(first, second, lambda name: _compare_values(
        name, first[name], second[name]))


def _difference(
    one: Mapping[str, Any], other: Mapping[str, Any], compare: Callable[[str], Change | None]
) -> Difference:
    common = set(one) & set(other)
    changes = [change for change in map(compare, sorted(common)) if change is not None]
    return Difference(
        tuple(name for name in one if name not in common),
        tuple(name for name in other if name not in common),
        tuple(changes),
        len(common) - len(changes),
    )


def _compare(one: CheckpointReader, other: CheckpointReader, name: str) -> Change | None:
    before, after = one.entry(name), other.entry(name)
    if before.dtype != after.dtype:
        return Change(name, f"{dtypes.name(before.dtype)} → {dtypes.name(after.dtype)}")
    if before.shape != after.shape:
        return Change(name, f"{before.shape} → {after.shape}")
    if not before.slices and (before.size, before.crc) == (after.size, after.crc):
        return None
    return _compare_values(name, one.get_tensor(name), other.get_tensor(name))


def _compare_values(name: str, first: NDArray[Any], second: NDArray[Any]) -> Change | None:
    if first.dtype != second.dtype:
        return Change(name, f"{first.dtype} → {second.dtype}")
    if first.shape != second.shape:
        return Change(name, f"{first.shape} → {second.shape}")
    if first.dtype == np.object_:
        return Change(name, "strings differ") if (first != second).any() else None
    largest = largest_difference(first, second)
    if largest == 0:
        return None
    return Change(name, f"values differ by up to {largest:g}", largest)
