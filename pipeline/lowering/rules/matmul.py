"""`dot_general`: contraction of some dimensions, batched over others."""

from __future__ import annotations

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import DType, Equation, Shape, Value
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.shape import transpose
from pipeline.lowering.tensor import Operand


@rule("dot_general")
def _dot_general(b: Builder, e: Equation) -> Operand:
    """MatMul of two matrices, BatchMatMul of [batch…, m, k] and [batch…, k, n]."""
    (left_sum, right_sum), (left_batch, right_batch) = e.params["dimension_numbers"]
    dtype = _computed_in(e.output.dtype)
    left, right = e.inputs
    left_free = _others(left.rank, left_sum, left_batch)
    right_free = _others(right.rank, right_sum, right_batch)
    x = _arrange(b, left, dtype, (left_batch, left_free, left_sum))
    y = _arrange(b, right, dtype, (right_batch, right_sum, right_free))
    batch = tuple(left.shape[axis] for axis in left_batch)
    shape = (*batch, x.shape[-2], y.shape[-1])
    op = "BatchMatMul" if batch else "MatMul"
    product = b.cast(b.op(op, x, y, shape=shape), e.output.dtype)
    return product if len(left_free) == 1 == len(right_free) else b.reshape(
        product, e.output.shape)


def _computed_in(dtype: DType) -> DType:
    """MatMul knows two kinds of integers; the product of others wraps around as theirs does."""
    if dtype.kind not in "iub":
        return dtype
    return np.dtype(np.int64 if dtype.itemsize >= 4 and dtype != np.int32 else np.int32)


def _others(rank: int, *taken: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis for axis in range(rank) if not any(axis in axes for axes in taken))


def _arrange(
    b: Builder, value: Value, dtype: DType, groups: tuple[tuple[int, ...], ...]
) -> Operand:
    """Order the axes as in `groups`; the axes of the second and of the third become one each."""
    order = [axis for group in groups for axis in group]
    shape = tuple(value.shape[axis] for axis in order)
    # not every reader takes a product's weights from a Transpose
    turned = b.transposed_variable(value, order) if order == [1, 0] else None
    x = b.cast(b.full(value) if turned is None else turned, dtype)
    x = transpose(b, x, order) if turned is None else x
    batch = len(groups[0])
    joined = tuple(_product(tuple(shape[order.index(axis)] for axis in group))
                   for group in groups[1:])
    wanted = (*shape[:batch], *joined)
    if all(len(group) == 1 for group in groups[1:]):
        return x
    if isinstance(x, np.ndarray) and dims.is_known(wanted):
        return x.reshape(wanted)
    return b.reshape(x, wanted)


def _product(shape: Shape) -> object:
    result = 1
    for size in shape:
        result = result * size
    return result
