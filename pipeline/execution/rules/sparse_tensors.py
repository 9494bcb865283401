"""Sparse tensors in, sparse tensors out: indices [n, rank] are known, values may be computed.

Sources: tensorflow/core/kernels/sparse_*_op.cc, tensorflow/core/util/sparse/sparse_tensor.h.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import dimensions, is_static, scalar, to_jax, vector


def _flat(indices: Any, shape: Any) -> Any:
    """Each index as its place in the dense array, row by row."""
    sizes = vector(shape)
    places = np.zeros(len(indices), np.int64)
    for axis, size in enumerate(sizes):
        places = places * size + indices[:, axis]
    return places


def _taken(values: Any, places: Any) -> Any:
    return values[places] if is_static(values) else to_jax(values)[places]


@rule("SparseReorder", static=(0, 2), folds=True)
def _reorder(node: Node, indices: Any, values: Any, shape: Any) -> Any:
    order = np.lexsort(indices.T[::-1])
    return indices[order], _taken(values, order)


@rule("SparseReshape", static=(0, 1, 2), folds=True)
def _reshape(node: Node, indices: Any, shape: Any, wanted: Any) -> Any:
    total, sizes = int(np.prod(shape)), [int(size) for size in wanted]
    if -1 in sizes:
        rest = int(np.prod([size for size in sizes if size != -1]))
        sizes[sizes.index(-1)] = total // max(rest, 1)
    if int(np.prod(sizes)) != total:
        raise ExecutionError(f"Input to reshape is a tensor with {total} dense values, but the "
                             f"requested shape has {int(np.prod(sizes))}")
    flat = _flat(indices, shape)
    columns = []
    for size in reversed(sizes):
        columns.append(flat % max(size, 1))
        flat = flat // max(size, 1)
    found = np.stack(columns[::-1], 1) if columns else np.zeros((len(indices), 0), np.int64)
    return found, np.array(sizes, np.int64)


@rule("SparseFillEmptyRows", static=(0, 2), folds=True)
def _fill_empty_rows(node: Node, indices: Any, values: Any, shape: Any, default: Any) -> Any:
    """Rows without values get one in their first column; also which were empty, and where each
    value went."""
    rows = int(shape[0])
    empty = np.bincount(indices[:, 0], minlength=rows)[:rows] == 0
    added = np.zeros((int(empty.sum()), indices.shape[1]), np.int64)
    added[:, 0] = np.flatnonzero(empty)
    whole = np.concatenate([indices, added])
    order = np.argsort(whole[:, 0], kind="stable")
    where = np.empty_like(order)
    where[order] = np.arange(len(order))
    if is_static(values) and is_static(default):
        filled: Any = np.concatenate([values, np.full(len(added), default, values.dtype)])[order]
    else:
        values = to_jax(values)
        filled = jnp.concatenate([values, jnp.full(len(added), to_jax(default), values.dtype)])[
            order]
    return whole[order], filled, empty, where[:len(indices)].astype(np.int64)


@rule("SparseFillEmptyRowsGrad", static=(0,))
def _fill_empty_rows_grad(node: Node, where: Any, gradient: Any) -> Any:
    gradient = to_jax(gradient)
    return gradient[where], gradient.sum() - gradient[where].sum()


@rule("SparseSlice", static=(0, 2, 3, 4), folds=True)
def _slice(node: Node, indices: Any, values: Any, shape: Any, start: Any, size: Any) -> Any:
    begin = np.minimum(start, shape)
    end = np.minimum(begin + size, shape)
    kept = np.flatnonzero(((indices >= begin) & (indices < end)).all(1))
    return indices[kept] - begin, _taken(values, kept), np.asarray(end - begin, np.int64)


@rule("SparseSoftmax", static=(0, 2))
def _softmax(node: Node, indices: Any, values: Any, shape: Any) -> Any:
    """Over the values that are there in each row."""
    values, rows = to_jax(values), _rows(indices, shape, [indices.shape[1] - 1])
    count = int(rows.max(initial=-1)) + 1
    largest = jax.ops.segment_max(values, rows, count)
    powers = jnp.exp(values - jax.lax.stop_gradient(largest)[rows])
    return powers / jax.ops.segment_sum(powers, rows, count)[rows]


def _rows(indices: Any, shape: Any, gone: list[int]) -> Any:
    """The place of each value in what is left when some axes are gone."""
    kept = [axis for axis in range(indices.shape[1]) if axis not in gone]
    return _flat(indices[:, kept], np.asarray(shape)[kept]) if kept else np.zeros(
        len(indices), np.int64)


@rule("SparseReduceSum", "SparseReduceMax", static=(0, 2, 3), attrs="keep_dims")
def _reduce(node: Node, indices: Any, values: Any, shape: Any, axes: Any) -> Any:
    """A dense result; the largest of no values is 0."""
    values, sizes = to_jax(values), dimensions(shape)
    gone = [int(axis) % len(sizes) for axis in np.atleast_1d(axes)] or list(range(len(sizes)))
    rows = _rows(indices, shape, gone)
    kept = [1 if axis in gone else size for axis, size in enumerate(sizes)]
    count = int(np.prod(kept))
    if node.op == "SparseReduceSum":
        found = jax.ops.segment_sum(values, rows, count)
    else:
        there = np.bincount(rows, minlength=count) > 0
        found = jnp.where(there, jax.ops.segment_max(values, rows, count), 0)
    return found.reshape(kept if node["keep_dims"] else [
        size for axis, size in enumerate(sizes) if axis not in gone]).astype(values.dtype)


@rule("SparseAdd", static=(0, 2, 3, 5, 6), attrs="Treal", folds=True)
def _add(
    node: Node, first: Any, a: Any, shape: Any, second: Any, b: Any, other: Any, threshold: Any
) -> Any:
    """Sums that are smaller than the threshold are left out, for which they must be known."""
    if tuple(shape) != tuple(other):
        raise ExecutionError(f"Operands' shapes do not match: got {vector(other)} for "
                             f"{vector(shape)}")
    known = is_static(a) and is_static(b)
    if not known and threshold > 0:
        raise ExecutionError("leaves small sums out, which are computed from what is fed")
    whole = np.concatenate([first, second])
    unique, place = np.unique(whole, axis=0, return_inverse=True)
    place = place.ravel()
    if known:
        values = np.zeros(len(unique), a.dtype)
        np.add.at(values, place, np.concatenate([a, b]))
        kept = np.abs(values) >= threshold if threshold > 0 else np.ones(len(values), bool)
        return unique[kept], values[kept], shape
    total = jax.ops.segment_sum(jnp.concatenate([to_jax(a), to_jax(b)]), place, len(unique))
    return unique, total, shape


@rule("SparseTensorDenseAdd", static=(0, 2), attrs="Tindices")
def _dense_add(node: Node, indices: Any, values: Any, shape: Any, dense: Any) -> Any:
    return to_jax(dense).at[tuple(indices.T)].add(to_jax(values))


@rule("SparseDenseCwiseMul", "SparseDenseCwiseDiv", "SparseDenseCwiseAdd", static=(0, 2))
def _dense_each(node: Node, indices: Any, values: Any, shape: Any, dense: Any) -> Any:
    """At the values that are there; the dense side is broadcast."""
    values = to_jax(values)
    other = jnp.broadcast_to(to_jax(dense), dimensions(shape))[tuple(indices.T)]
    if node.op.endswith("Mul"):
        return values * other
    return values / other if node.op.endswith("Div") else values + other


@rule("SparseConcat", attrs="concat_dim N", folds=True)
def _concat(node: Node, *inputs: Any) -> Any:
    count = len(inputs) // 3
    indices, values, shapes = (inputs[place * count:(place + 1) * count] for place in range(3))
    if not all(map(is_static, (*indices, *shapes))):
        raise ExecutionError("indices or shapes are computed from what is fed")
    axis = node["concat_dim"] % len(shapes[0])
    starts = np.cumsum([0, *(int(shape[axis]) for shape in shapes)])
    moved = []
    for each, start in zip(indices, starts, strict=False):
        shifted = each.copy()
        shifted[:, axis] += start
        moved.append(shifted)
    whole = np.concatenate(moved)
    order = np.lexsort(whole.T[::-1])
    joined = np.concatenate(values) if all(map(is_static, values)) else jnp.concatenate(
        [to_jax(each) for each in values])
    shape = np.array(shapes[0], np.int64)
    shape[axis] = starts[-1]
    return whole[order], joined[order], shape


@rule("EditDistance", static=(0, 1, 2, 3, 4, 5), attrs="normalize", folds=True)
def _edit_distance(
    node: Node, first: Any, a: Any, shape: Any, second: Any, b: Any, other: Any
) -> Any:
    """Insertions, deletions and replacements from each sequence to its truth; over its length."""
    sizes = [max(int(x), int(y)) for x, y in zip(shape[:-1], other[:-1], strict=True)]
    found = np.zeros(sizes, np.float32)
    ours, truths = _sequences(first, a), _sequences(second, b)
    for place in np.ndindex(*sizes):
        given, truth = ours.get(place, []), truths.get(place, [])
        distance = float(_distance(given, truth))
        if node["normalize"]:
            distance = distance / len(truth) if truth else (np.inf if given else 0.0)
        found[place] = distance
    return found


def _sequences(indices: Any, values: Any) -> dict[tuple[int, ...], list[Any]]:
    found: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(indices, values.tolist(), strict=True):
        found.setdefault(tuple(map(int, place[:-1])), []).append(value)
    return found


def _distance(first: list[Any], second: list[Any]) -> int:
    row = list(range(len(second) + 1))
    for place, value in enumerate(first):
        before, row[0] = row[0], place + 1
        for column, other in enumerate(second):
            before, row[column + 1] = row[column + 1], min(
                row[column + 1] + 1, row[column] + 1, before + (value != other))
    return row[-1]


@rule("SparseSplit", static=(0, 1, 3), attrs="num_split", folds=True)
def _split(node: Node, axis: Any, indices: Any, values: Any, shape: Any) -> Any:
    """The first parts are one longer where the axis does not divide."""
    count, place = node["num_split"], scalar(axis)
    size, rest = divmod(int(shape[place]), count)
    bounds = np.cumsum([0, *(size + (part < rest) for part in range(count))])
    found: list[list[Any]] = [[], [], []]
    for begin, end in pairwise(bounds):
        kept = np.flatnonzero((indices[:, place] >= begin) & (indices[:, place] < end))
        moved, part = indices[kept].copy(), np.array(shape, np.int64)
        moved[:, place] -= begin
        part[place] = end - begin
        for held, each in zip(found, (moved, _taken(values, kept), part), strict=True):
            held.append(each)
    return [*found[0], *found[1], *found[2]]
