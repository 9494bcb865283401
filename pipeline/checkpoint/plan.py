"""What a restore would do, before it does it: each variable beside the tensor meant for it."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pipeline import dtypes
from pipeline.checkpoint.entry import Shape
from pipeline.checkpoint.errors import InvalidArgumentError, NotFoundError
from pipeline.checkpoint.reader import CheckpointReader
from pipeline.checkpoint.stored import dtype_number
from pipeline.checkpoint.variables import Slot, dtype_of, is_number, shape_of

# What a variable takes that is a number of Python's own: any dtype of its kind.
_KINDS: dict[type, tuple[str, ...]] = {
    bool: ("DT_BOOL",),
    int: ("DT_INT8", "DT_INT16", "DT_INT32", "DT_INT64",
          "DT_UINT8", "DT_UINT16", "DT_UINT32", "DT_UINT64"),
    float: ("DT_HALF", "DT_BFLOAT16", "DT_FLOAT", "DT_DOUBLE"),
    complex: ("DT_COMPLEX64", "DT_COMPLEX128"),
}


class Fit(enum.Enum):
    """How a tensor fits the variable that it is meant for."""

    MATCHED = "matched"
    MISSING = "missing"  # the checkpoint has no such tensor
    SHAPE = "shape clash"
    DTYPE = "dtype clash"


@dataclass(frozen=True)
class Row:
    """A variable and its tensor: `key` in the checkpoint; found is None where it is missing."""

    variable: str
    key: str
    fit: Fit
    expected: tuple[Shape, str]  # shape and `DT_FLOAT` of the variable
    found: tuple[Shape, str] | None

    def __str__(self) -> str:
        """`layer1/weights: checkpoint has (784, 300), model has (784, 500)`."""
        name = self.variable if self.key == self.variable else f"{self.variable} ← {self.key}"
        if self.found is None:
            return f"{name}: Key {self.key} not found in checkpoint"
        part = 1 if self.fit is Fit.DTYPE else 0
        return f"{name}: checkpoint has {self.found[part]}, model has {self.expected[part]}"


@dataclass(frozen=True)
class RestorePlan:
    """Every variable's row, and the tensors that nobody asked for.

    `str(plan)` is a table for people; `require()` raises what a restore would raise.
    """

    prefix: str
    rows: tuple[Row, ...]
    extra: tuple[str, ...]

    @property
    def matched(self) -> tuple[Row, ...]:
        """What can be restored."""
        return self._of(Fit.MATCHED)

    @property
    def missing(self) -> tuple[Row, ...]:
        """What the checkpoint does not have."""
        return self._of(Fit.MISSING)

    @property
    def clashes(self) -> tuple[Row, ...]:
        """What has another shape or dtype."""
        return self._of(Fit.SHAPE, Fit.DTYPE)

    def _of(self, *fits: Fit) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.fit in fits)

    def require(self) -> None:
        """Raises unless everything can be restored; the text names all that cannot.

        TensorFlow assigns another shape silently where variables are resources; this never does.

        Raises:
            NotFoundError: something is missing.
            InvalidArgumentError: nothing is missing, and a shape or dtype clashes.
        """
        wrong = "; ".join(str(row) for row in (*self.missing, *self.clashes))
        if self.missing:
            raise NotFoundError(
                f"Restoring from checkpoint {self.prefix} failed. This is most likely due to a "
                f"variable name that is missing from the checkpoint: {wrong}. It also has "
                f"{_some(self.extra)}; a dict of key → variable renames"
            )
        if self.clashes:
            raise InvalidArgumentError(
                f"Restoring from checkpoint {self.prefix} failed. This is most likely due to a "
                f"mismatch between the model and the checkpoint: {wrong}"
            )

    def __str__(self) -> str:
        width = max((len(row.variable) for row in self.rows), default=0)
        lines = [f"{row.fit.value:<12} {row.variable:<{width}}  {_beside(row)}".rstrip()
                 for fit in Fit for row in self._of(fit)]
        lines += [f"{'extra':<12} {name}" for name in self.extra]
        return "\n".join([*lines, f"{len(self.matched)} matched, {len(self.missing)} missing, "
                                  f"{len(self.clashes)} clashing, {len(self.extra)} extra"])


def plan_of(
    reader: CheckpointReader, targets: Mapping[str, tuple[str, Slot]], *, reshape: bool
) -> RestorePlan:
    """Compares slots with the tensors meant for them; `targets` is variable → (key, slot)."""
    rows = tuple(_row(reader, name, key, slot, reshape)
                 for name, (key, slot) in targets.items())
    asked = {reader.key_of(row.key) for row in rows}
    return RestorePlan(reader.prefix, rows, tuple(name for name in reader if name not in asked))


def read_planned(
    reader: CheckpointReader, targets: Mapping[str, tuple[str, Slot]]
) -> dict[str, NDArray[Any]]:
    """The tensors of a plan that holds, verified, in the shapes of their variables."""
    return {name: reader.get_tensor(key).reshape(shape_of(slot.get()))
            for name, (key, slot) in targets.items()}


def _row(reader: CheckpointReader, name: str, key: str, slot: Slot, reshape: bool) -> Row:
    current = slot.get()
    expected = shape_of(current), dtypes.name(dtype_number(name, dtype_of(current)))
    if not reader.has_tensor(key):
        return Row(name, key, Fit.MISSING, expected, None)
    entry = reader.entry(key)
    found = entry.shape, dtypes.name(entry.dtype)
    fit = Fit.MATCHED
    if found[1] != expected[1] and not (is_number(current) and found[1] in _kind_of(current)):
        fit = Fit.DTYPE
    elif found[0] != expected[0] and not (
        reshape and math.prod(found[0]) == math.prod(expected[0])
    ):
        fit = Fit.SHAPE
    return Row(name, key, fit, expected, found)


def _kind_of(number: complex) -> tuple[str, ...]:
    return next(names for kind, names in _KINDS.items() if isinstance(number, kind))


def _beside(row: Row) -> str:
    if row.fit is Fit.MATCHED:
        return "" if row.key == row.variable else f"← {row.key}"
    return str(row)[len(row.variable):].removeprefix(":").strip()


def _some(names: tuple[str, ...], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "no other tensor") + more
