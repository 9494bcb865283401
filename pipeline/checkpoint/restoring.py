"""Comparing what a checkpoint holds with what shall be restored, and fetching it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from pipeline import dtypes
from pipeline.checkpoint.errors import InvalidArgumentError, NotFoundError
from pipeline.checkpoint.reader import CheckpointReader
from pipeline.checkpoint.variables import Slot, dtype_of, shape_of


def read_for(
    slots: Mapping[str, Slot], reader: CheckpointReader, *, reshape: bool
) -> dict[str, NDArray[Any]]:
    """The tensors of all slots, verified, in the shapes of the slots.

    TensorFlow assigns another shape silently where variables are resources; here it never passes.

    Raises:
        NotFoundError: names that the checkpoint does not have; all of them.
        InvalidArgumentError: shapes or dtypes that differ; all of them.
        DataLossError: a tensor is damaged.
    """
    missing = [name for name in slots if not reader.has_tensor(name)]
    if missing:
        raise NotFoundError(
            f"Restoring from checkpoint failed: {_keys_not_found(missing)} in checkpoint "
            f"{reader.prefix}, which has {_some(list(reader))}. This is most likely due to a "
            "variable name that is missing from the checkpoint; a dict of checkpoint key → "
            "variable renames"
        )
    clashes = [text for name, slot in slots.items()
               if (text := _clash(name, slot, reader, reshape)) is not None]
    if clashes:
        raise InvalidArgumentError(f"Restoring from checkpoint {reader.prefix} failed. This is "
                                   "most likely due to a mismatch between the model and the "
                                   "checkpoint: " + "; ".join(clashes))
    return {name: reader.get_tensor(name).reshape(shape_of(slot.get()))
            for name, slot in slots.items()}


def _clash(name: str, slot: Slot, reader: CheckpointReader, reshape: bool) -> str | None:
    """How a tensor does not fit its slot."""
    current, entry = slot.get(), reader.entry(name)
    shape, number = shape_of(current), dtypes.from_numpy(dtype_of(current))
    if number != entry.dtype:
        return (f"{name}: checkpoint has dtype {dtypes.name(entry.dtype)}, model has "
                f"{dtypes.name(number)}")
    if reshape and math.prod(shape) != math.prod(entry.shape):
        return (f"{name}: checkpoint has {math.prod(entry.shape)} values, the requested shape "
                f"{shape} has {math.prod(shape)}")
    if not reshape and shape != entry.shape:
        return f"{name}: checkpoint has {entry.shape}, model has {shape}"
    return None


def _keys_not_found(names: list[str]) -> str:
    return ("Key " if len(names) == 1 else "Keys ") + ", ".join(names) + " not found"


def _some(names: list[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
