"""Partitioned variables: a tensor stored as slices, each with its place in the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint.entry import Extents, Shape
from pipeline.checkpoint.errors import DataLossError, InvalidArgumentError

WHOLE = -1  # the length that stands for a whole dimension


@dataclass(frozen=True)
class Part:
    """One slice's place, (start, length) per dimension, and its array-like value."""

    extents: Extents
    value: Any


@dataclass(frozen=True)
class PartitionedTensor:
    """A tensor of `shape` held as parts; written under one name, as TensorFlow's partitioner does.

    Raises:
        InvalidArgumentError: a part's value has not the shape of its extents.
    """

    shape: Shape
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            expected = slice_shape(part.extents, self.shape)
            if tuple(np.shape(part.value)) != expected:
                raise InvalidArgumentError(f"part {format_slice(part.extents)} of {self.shape} has "
                                           f"shape {np.shape(part.value)}; expected {expected}")

    @classmethod
    def split(cls, array: Any, count: int, axis: int = 0) -> PartitionedTensor:
        """Cuts an array along `axis`; a remainder goes to the first parts (10 in 3: 4, 3, 3)."""
        shape = tuple(np.shape(array))
        if not 0 <= axis < len(shape) or not 0 < count <= shape[axis]:
            raise InvalidArgumentError(f"cannot cut shape {shape} in {count} along axis {axis}")
        size, larger = divmod(shape[axis], count)
        parts, start = [], 0
        for index in range(count):
            length = size + (index < larger)
            extents = tuple((start, length) if d == axis else (0, n) for d, n in enumerate(shape))
            parts.append(Part(extents, array[slices_of(extents, shape)]))
            start += length
        return cls(shape, tuple(parts))

    def with_values(self, whole: NDArray[Any]) -> PartitionedTensor:
        """The same partition of another array of the same shape."""
        return PartitionedTensor(self.shape, tuple(
            Part(part.extents, whole[slices_of(part.extents, self.shape)]) for part in self.parts
        ))

    def assemble(self) -> NDArray[Any]:
        """The whole array, copied together.

        Raises:
            DataLossError: the parts leave holes.
        """
        if sum(np.size(part.value) for part in self.parts) < int(np.prod(self.shape, dtype=object)):
            raise DataLossError(f"slices do not cover shape {self.shape}")
        dtype = np.asarray(self.parts[0].value).dtype
        out, covered = np.empty(self.shape, dtype), np.zeros(self.shape, np.bool_)
        for part in self.parts:
            place = slices_of(part.extents, self.shape)
            out[place], covered[place] = part.value, True
        if not covered.all():
            raise DataLossError(f"slices do not cover shape {self.shape}")
        return out


def slices_of(extents: Extents, shape: Shape) -> tuple[slice, ...]:
    """Extents as NumPy slices of an array of `shape`.

    Raises:
        InvalidArgumentError: they have another rank, or reach outside.
    """
    if len(extents) != len(shape):
        raise InvalidArgumentError(f"slice {format_slice(extents)} does not fit shape {shape}")
    found = []
    for (start, length), size in zip(extents, shape, strict=True):
        stop = size if length == WHOLE else start + length
        if not 0 <= start <= stop <= size or length < WHOLE:
            raise InvalidArgumentError(f"slice {format_slice(extents)} does not fit shape {shape}")
        found.append(slice(start, stop))
    return tuple(found)


def slice_shape(extents: Extents, shape: Shape) -> Shape:
    """The shape of a slice of a tensor of `shape`."""
    return tuple(place.stop - place.start for place in slices_of(extents, shape))


def format_slice(extents: Extents) -> str:
    """`0,4:-`: TensorFlow's text of a slice, as in SaveV2's `shape_and_slices`."""
    return ":".join("-" if n == WHOLE else f"{start},{n}" for start, n in extents)


def parse_slice(text: str) -> Extents:
    """The extents of TensorFlow's text of a slice.

    Raises:
        InvalidArgumentError: the text is none.
    """
    try:
        pairs: Sequence[Sequence[str]] = [part.split(",") for part in text.split(":")]
        return tuple((0, WHOLE) if p == ["-"] else (int(p[0]), int(p[1])) for p in pairs)
    except (ValueError, IndexError):
        raise InvalidArgumentError(f"{text!r} is no slice; expected e.g. '0,4:-'") from None
