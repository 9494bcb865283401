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


def joint_shape(shapes: Sequence[Shape]) -> Shape:
    """What shapes broadcast to; a scalar adds nothing, a 1 gives way."""
    ranked = [shape for shape in shapes if len(shape)]
    if not ranked:
        return ()
    return tuple(next((size for size in sizes if not same(size, 1)), 1)
                 for sizes in zip(*ranked, strict=True))
