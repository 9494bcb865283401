"""Dimensions that may be known only at run time: which are numbers, which are surely equal."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.lowering.ir import Dim, Shape


def is_known(shape: Sequence[Dim]) -> bool:
    """Whether every dimension is a number."""
    return all(isinstance(size, int) for size in shape)


def same(left: Dim, right: Dim) -> bool:
    """Whether two dimensions are surely equal."""
    return str(left) == str(right)


def alike(left: Shape, right: Shape) -> bool:
    """Whether two shapes are surely equal."""
    return len(left) == len(right) and all(map(same, left, right))


def joint_shape(shapes: Sequence[Shape]) -> Shape:
    """What shapes broadcast to: aligned at their ends, a 1 gives way."""
    rank = max(map(len, shapes), default=0)
    ranked = [(*(1,) * (rank - len(shape)), *shape) for shape in shapes]
    return tuple(next((size for size in sizes if not same(size, 1)), 1)
                 for sizes in zip(*ranked, strict=True))
