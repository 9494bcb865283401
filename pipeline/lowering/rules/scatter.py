"""Writing at indices. JAX drops what lies beyond the bounds; TensorFlow would raise.

The indexed dimensions are made one, with one more row behind them that takes what is dropped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Dim, Equation, Program, Shape
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.dynamic import at_known_places
from pipeline.lowering.rules.index_vectors import (
    Windows,
    clamp,
    first_rows,
    product,
    row_numbers,
    within,
)
from pipeline.lowering.rules.shape import strided_slice, transpose
from pipeline.lowering.tensor import Operand

_OPS = {"scatter": "TensorScatterUpdate", "scatter-add": "TensorScatterAdd",
        "scatter-sub": "TensorScatterSub", "scatter-max": "TensorScatterMax",
        "scatter-min": "TensorScatterMin", "scatter-mul": "UnsortedSegmentProd"}
# of one window at a known place: what its elements become, by the op of old and new ones
_PLAIN = {"scatter": "", "scatter-add": "Add", "scatter-sub": "Sub", "scatter-max": "Maximum",
          "scatter-min": "Minimum", "scatter-mul": "Mul"}


@rule(*_OPS)
def _scatter(b: Builder, e: Equation) -> Operand:
    numbers = e.params["dimension_numbers"]
    _check_update(e)
    operand, indices, updates = b.full_operands(e)
    counted = e.output.dtype.kind == "b" and e.primitive != "scatter"
    if counted:    # TensorFlow has no order of booleans
        operand, updates = (b.cast(each, np.dtype(np.int32)) for each in (operand, updates))
    windows = _windows(numbers, operand.shape, updates.shape)
    batch = tuple(indices.shape[:-1])
    starts = windows.columns(b, indices)
    # TensorFlow refuses to write rows that may be empty: unknown sizes are indexed as well
    unknown = tuple(axis for axis, size in enumerate(operand.shape)
                    if axis not in windows.all_axes and not isinstance(size, int))
    windows = replace(windows, axes=(*windows.axes, *unknown))
    starts += [np.zeros((), np.int32) for _ in unknown]
    limits = windows.limits(operand.shape)
    known = _known_places(starts, limits, windows) if not batch else None
    if known is not None and e.primitive in _PLAIN:
        part = b.reshape(updates, windows.sizes)
        made = at_known_places(b, operand, part, known, _PLAIN[e.primitive])
        return b.cast(made, e.output.dtype)
    valid = None if e.params["mode"].name == "CLIP" else within(b, starts, limits)
    starts = clamp(b, starts, limits)
    axes = windows.all_axes
    rest = [axis for axis in range(len(operand.shape)) if axis not in axes]
    moved = transpose(b, operand, [*axes, *rest])
    rows, tail = product(moved.shape[:len(axes)]), moved.shape[len(axes):]
    flat = b.reshape(moved, (rows, *tail))
    if axes:
        row = row_numbers(b, windows.grid(b, starts, len(batch)), moved.shape[:len(axes)])
    else:
        row = b.expand(np.zeros((), np.int32), batch)
    if valid is not None:
        row = _drop(b, row, valid, rows)
    new = _arranged(b, updates, numbers, windows, rest)
    written = _write(b, e.primitive, flat, row, new, rows, spare=valid is not None)
    back = np.argsort([*axes, *rest])
    made = transpose(b, b.reshape(written, moved.shape), [int(axis) for axis in back])
    return b.cast(made, e.output.dtype) if counted else made


def _known_places(starts: list[Operand], limits: Shape, windows: Windows) -> list[int] | None:
    """Where along each dimension a single window lies; None if that is not known to be inside."""
    places = [0] * len(windows.sizes)
    for axis, start, limit in zip(windows.all_axes, starts, limits, strict=True):
        if not isinstance(start, np.ndarray) or not isinstance(limit, int) or not (
                0 <= int(start) <= limit):
            return None
        places[axis] = int(start)
    return places


def _check_update(e: Equation) -> None:
    """`scatter` may carry a function of its own (`scatter_apply`)."""
    update = e.params.get("update_jaxpr")
    if e.primitive == "scatter" and isinstance(update, Program) and (
            update.outputs != [update.inputs[-1]]):
        raise Unsupported("an update function of its own")


def _windows(numbers: Any, operand: Shape, updates: Shape) -> Windows:
    window = iter(updates[axis] for axis in numbers.update_window_dims)
    single = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    sizes = tuple(1 if axis in single else next(window) for axis in range(len(operand)))
    return Windows(tuple(numbers.scatter_dims_to_operand_dims), sizes,
                   tuple(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims,
                             strict=True)))


def _drop(b: Builder, row: Operand, valid: Operand, rows: Dim) -> Operand:
    """Rows of vectors that are not valid become the one behind all others."""
    shape = (*valid.shape, *(1,) * (len(row.shape) - len(valid.shape)))
    mask = b.reshape(valid, shape) if shape != tuple(valid.shape) else valid
    return b.select(mask, row, b.cast(b.size(rows), row.dtype))


def _arranged(
    b: Builder, updates: Operand, numbers: Any, windows: Windows, rest: list[int]
) -> Operand:
    """The updates as [batch…, indexed window dimensions…, others…]."""
    inside = list(numbers.update_window_dims)
    single = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    shown = [axis for axis in range(len(windows.sizes)) if axis not in single]
    batch = [axis for axis in range(len(updates.shape)) if axis not in inside]
    place = dict(zip(shown, inside, strict=True))
    axes = windows.all_axes
    order = [*batch, *(place[axis] for axis in (*axes, *rest) if axis in place)]
    moved = transpose(b, updates, order)
    shape = (*(updates.shape[axis] for axis in batch),
             *(windows.sizes[axis] for axis in (*axes, *rest)))
    return moved if len(shape) == len(moved.shape) else b.reshape(moved, shape)


def _write(
    b: Builder, primitive: str, flat: Operand, row: Operand, new: Operand, rows: Dim, *,
    spare: bool,
) -> Operand:
    if primitive == "scatter-mul":
        return _multiply(b, flat, row, new, rows, spare=spare)
    target, tail = flat, tuple(flat.shape[1:])
    if spare:
        target = b.op("ConcatV2", flat, b.expand(np.zeros((), flat.dtype), (1, *tail)),
                      np.asarray(0, np.int32), shape=(rows + 1, *tail))
    tail_rank = len(tail)
    cut = tuple(new.shape[len(new.shape) - tail_rank:]) if tail_rank else ()
    if not all(dims.same(a, c) for a, c in zip(cut, tail, strict=True)):
        return _write_part(b, primitive, target, row, new, rows, cut)
    index = b.reshape(row, (*row.shape, 1))
    written = b.op(_OPS[primitive], target, index, new, shape=target.shape)
    return first_rows(b, written, rows) if spare else written


def _write_part(
    b: Builder, primitive: str, target: Operand, row: Operand, new: Operand, rows: Dim,
    cut: Shape,
) -> Operand:
    """Windows smaller than dimensions that are not indexed: write their part of the operand."""
    ones, zeros = (1,) * len(target.shape), (0,) * len(target.shape)
    size = (target.shape[0], *cut)
    part = strided_slice(b, target, zeros, size, ones, size)
    index = b.reshape(row, (*row.shape, 1))
    written = b.op(_OPS[primitive], part, index, new, shape=size)
    amounts = np.asarray([(0, 0), *((0, have - want) for have, want in
                                    zip(target.shape[1:], cut, strict=True))], np.int32)
    mask = b.op("Pad", b.expand(np.asarray(True), size), amounts, shape=target.shape)
    padded = b.op("Pad", written, amounts, shape=target.shape)
    return first_rows(b, b.select(mask, padded, target), rows)


def _multiply(
    b: Builder, flat: Operand, row: Operand, new: Operand, rows: Dim, *, spare: bool
) -> Operand:
    """The operand times the product of all that is written to each row, which may be nothing."""
    count = rows + 1 if spare else rows
    shape = (count, *flat.shape[1:])
    factors: Operand = b.op("UnsortedSegmentProd", new, row, b.size(count), shape=shape)
    return b.op("Mul", flat, first_rows(b, factors, rows) if spare else factors)
