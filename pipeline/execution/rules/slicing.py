"""`StridedSlice`: Python's slicing as TensorFlow encodes it."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import dimensions, entry, is_static, to_jax

_MASKS = "begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask"


class Masks(NamedTuple):
    """Bit i speaks of entry i of begin, end and strides."""

    begin: int
    end: int
    ellipsis: int
    new_axis: int
    shrink_axis: int


def _masks(node: Node) -> Masks:
    return Masks(*(node[name] for name in _MASKS.split()))


def index_of(node: Node, rank: int, begin: Any, end: Any, strides: Any) -> tuple[Any, ...]:
    """The Python index that the masks and the three vectors encode.

    A begin that is computed from what is fed can only choose single positions.

    Raises:
        ExecutionError: the index has too many entries, or a running begin bounds a range.
    """
    masks, count = _masks(node), begin.size
    if not begin.shape == end.shape == strides.shape == (count,):
        raise ExecutionError(f"begin, end and strides have shapes {begin.shape}, {end.shape} and "
                             f"{strides.shape}; expected one vector's")
    found: list[Any] = []
    for place in range(count):
        bit = 1 << place
        if masks.ellipsis & bit:
            found.append(Ellipsis)
        elif masks.new_axis & bit:
            found.append(None)
        elif masks.shrink_axis & bit:
            if strides[place] <= 0:
                raise ExecutionError("only stride 1 allowed on non-range indexing")
            found.append(begin[place])
        else:
            found.append(_range(place, masks, begin, end, strides))
    if masks.ellipsis & (masks.ellipsis - 1):
        raise ExecutionError("Multiple ellipses in slice spec not allowed")
    if sum(each is not None and each is not Ellipsis for each in found) > rank:
        raise ExecutionError(f"{count} indices for an array of {rank} axes")
    return tuple(found)


def _range(place: int, masks: Masks, begin: Any, end: Any, strides: Any) -> slice:
    bit, step = 1 << place, int(strides[place])
    if step == 0:
        raise ExecutionError(f"strides[{place}] must be non-zero")
    bounds: list[int | None] = []
    for vector, mask in ((begin, masks.begin), (end, masks.end)):
        if mask & bit:
            bounds.append(None)
        elif is_static(vector):
            bounds.append(int(vector[place]))
        else:
            raise UnknownValue("a range whose bounds are computed from what is fed has no known "
                               "shape; fix what they depend on with `given`", (1, 2))
    return slice(bounds[0], bounds[1], step)


def _apply(x: Any, index: tuple[Any, ...]) -> Any:
    """`x[index]`; running positions are taken after the known part, and clamp."""
    running = [place for place, each in enumerate(index) if isinstance(each, jax.Array)]
    known = tuple(slice(None) if place in running else
                  int(each) if isinstance(each, np.generic) else each
                  for place, each in enumerate(index))
    _check_inside(known, x.shape)
    axes = [_axis(known, place, x.ndim) for place in running]
    x = x[known]
    for place, axis in sorted(zip(running, axes, strict=True), key=lambda pair: -pair[1]):
        x = entry(jnp.asarray(x), _wrap(index[place], x.shape[axis]), axis)
    return x


def _check_inside(index: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    """Raises for a known position outside of its axis; JAX would clamp it."""
    used = sum(each is not None and each is not Ellipsis for each in index)
    axis = 0
    for each in index:
        if isinstance(each, int) and not -shape[axis] <= each < shape[axis]:
            raise ExecutionError(f"slice index {each} of dimension {axis} out of bounds "
                                 f"(shape {shape})")
        axis += len(shape) - used if each is Ellipsis else each is not None


def _wrap(position: Any, size: int) -> Any:
    return jnp.where(position < 0, position + size, position)


def _axis(index: tuple[Any, ...], place: int, rank: int) -> int:
    """The axis of the result that entry `place` (a full slice) makes."""
    axis = 0
    used = sum(each is not None and each is not Ellipsis for each in index)
    for each in index[:place]:
        axis += rank - used if each is Ellipsis else not isinstance(each, int)
    return axis


@rule("StridedSlice", static=(3,), attrs=_MASKS, folds=True)
def _strided_slice(node: Node, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    return _apply(x, index_of(node, x.ndim, begin, end, strides))


@rule("StridedSliceGrad", static=(0, 1, 2, 3), attrs=_MASKS)
def _strided_slice_grad(
    node: Node, shape: Any, begin: Any, end: Any, strides: Any, gradient: Any
) -> Any:
    gradient = to_jax(gradient)
    zeros = jnp.zeros(dimensions(shape), gradient.dtype)
    return zeros.at[_plain(index_of(node, len(shape), begin, end, strides))].set(gradient)


@rule("TensorStridedSliceUpdate", static=(1, 2, 3), attrs=_MASKS)
def _strided_slice_update(
    node: Node, x: Any, begin: Any, end: Any, strides: Any, value: Any
) -> Any:
    x = to_jax(x)
    return x.at[_plain(index_of(node, x.ndim, begin, end, strides))].set(to_jax(value))


def _plain(index: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(int(each) if isinstance(each, np.generic) else each for each in index)
