"""Sums over groups of rows, counting, and putting rows together by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.elementwise import truncated_quotient
from pipeline.execution.rules.indexing import gather
from pipeline.execution.rules.reductions import extreme
from pipeline.execution.values import check_size, is_static, jax_dtype, scalar, to_jax

_REDUCE: dict[str, Callable[..., Any]] = {
    "Sum": jax.ops.segment_sum, "Prod": jax.ops.segment_prod,
    "Max": jax.ops.segment_max, "Min": jax.ops.segment_min,
}


def _reduced(kind: str, x: Any, segments: Any, count: int) -> Any:
    """Rows with negative segment ids are left out; empty segments have the neutral value.

    Ids from `count` on fail where they are known, as in TensorFlow, and are left out otherwise.
    """
    if is_static(segments) and segments.max(initial=-1) >= count:
        raise ExecutionError(f"segment ids reach {segments.max()}; expected less than {count}")
    segments = jnp.where(to_jax(segments) < 0, count, to_jax(segments))
    found = _REDUCE[kind](x, segments, count)
    if kind in ("Max", "Min"):
        lowest = jnp.asarray(_lowest(x.dtype, low=kind == "Max"), x.dtype)
        empty = jax.ops.segment_sum(jnp.ones(len(segments), jnp.int32), segments, count) == 0
        found = jnp.where(empty.reshape(-1, *[1] * (found.ndim - 1)), lowest, found)
    return found


def _segment_count(segments: Any) -> int:
    """How many segments known ids speak of, which must be in order."""
    if segments.min(initial=0) < 0 or (np.diff(segments) < 0).any():
        raise ExecutionError("segment ids are not increasing")
    return int(segments[-1]) + 1 if len(segments) else 0


def _lowest(dtype: Any, *, low: bool) -> Any:
    """The least finite value, or the largest: what TensorFlow gives for an empty segment."""
    if jnp.issubdtype(dtype, jnp.floating):
        limits = jnp.finfo(dtype)
        return limits.min if low else limits.max
    return extreme(dtype, low=low)


for _kind in ("Sum", "Prod", "Max", "Min"):
    def _unsorted(
        node: Node, x: Any, segments: Any, count: Any, kind: str = _kind
    ) -> Any:
        """Segment ids [s…] over the first axes of x [s…, r…]."""
        x = to_jax(x)
        rows = x.reshape(-1, *x.shape[segments.ndim:])
        return _reduced(kind, rows, segments.ravel(), scalar(count))

    def _sorted(node: Node, x: Any, segments: Any, kind: str = _kind) -> Any:
        """Known ids, in order; segments without rows give 0 (1 for products)."""
        x, count = to_jax(x), _segment_count(segments)
        found = _reduced(kind, x, segments, count)
        present = np.isin(np.arange(count), segments).reshape(-1, *[1] * (x.ndim - 1))
        return jnp.where(present, found, 1 if kind == "Prod" else 0)

    rule(f"UnsortedSegment{_kind}", static=(2,))(_unsorted)
    rule(f"Segment{_kind}", static=(1,))(_sorted)


@rule("SegmentMean", static=(1,))
def _segment_mean(node: Node, x: Any, segments: Any) -> Any:
    return _mean(to_jax(x), segments, lambda count: count)


def _mean(
    x: Any, segments: Any, scale: Callable[[Any], Any], count: int | None = None
) -> Any:
    size = _segment_count(segments) if count is None else count
    counts = np.bincount(segments, minlength=size).reshape(-1, *[1] * (x.ndim - 1))
    divisor = jnp.asarray(scale(np.maximum(counts, 1)), x.dtype)
    total = _reduced("Sum", x, segments, size)
    if jnp.issubdtype(x.dtype, np.integer):
        return truncated_quotient(total, divisor)
    return total / divisor


_BY_COUNT: dict[str, Callable[[Any], Any]] = {"Mean": lambda count: count, "SqrtN": np.sqrt}


def _sparse_segments(kind: str, x: Any, indices: Any, segments: Any, count: int) -> Any:
    rows = gather(to_jax(x), indices, 0)
    if kind == "Sum":
        return _reduced("Sum", rows, segments, count)
    return _mean(rows, segments, _BY_COUNT[kind], count)


for _kind in ("Sum", "Mean", "SqrtN"):
    @rule(f"SparseSegment{_kind}", static=(2,), attrs="sparse_gradient")
    def _sparse_segment(
        node: Node, x: Any, indices: Any, segments: Any, kind: str = _kind
    ) -> Any:
        return _sparse_segments(kind, x, indices, segments, _segment_count(segments))

    @rule(f"SparseSegment{_kind}WithNumSegments", static=(2, 3), attrs="sparse_gradient")
    def _sparse_segment_counted(
        node: Node, x: Any, indices: Any, segments: Any, count: Any, kind: str = _kind
    ) -> Any:
        if _segment_count(segments) > scalar(count):
            raise ExecutionError(f"segment ids reach {segments[-1]}; expected less than {count}")
        return _sparse_segments(kind, x, indices, segments, scalar(count))


@rule("Bincount", static=(1,))
def _bincount(node: Node, x: Any, size: Any, weights: Any) -> Any:
    return _counted(to_jax(x).ravel(), scalar(size), weights)


def _counted(x: Any, size: int, weights: Any) -> Any:
    """How often each of 0 … size - 1 occurs, or the sum of its weights."""
    weights = to_jax(weights)
    amounts = weights.ravel() if weights.size else jnp.ones(x.shape, weights.dtype)
    return jnp.zeros(size, amounts.dtype).at[jnp.where(x < 0, size, x)].add(amounts, mode="drop")


@rule("DenseBincount", static=(1,), attrs="binary_output")
def _dense_bincount(node: Node, x: Any, size: Any, weights: Any) -> Any:
    """Vectors are counted, matrices row by row."""
    x, weights, count = to_jax(x), to_jax(weights), scalar(size)
    if node["binary_output"]:   # that it occurs, whatever it weighs
        weights = jnp.zeros(0, weights.dtype)
    if x.ndim == 2:
        given = weights if weights.size else jnp.zeros((x.shape[0], 0), weights.dtype)
        found = jax.vmap(lambda row, amounts: _counted(row, count, amounts))(x, given)
    else:
        found = _counted(x, count, weights)
    return (found > 0).astype(found.dtype) if node["binary_output"] else found


@rule("HistogramFixedWidth", static=(2,), attrs="dtype")
def _histogram(node: Node, x: Any, limits: Any, bins: Any) -> Any:
    x, limits, count = to_jax(x), to_jax(limits), scalar(bins)
    place = jnp.floor((x.ravel() - limits[0]) / (limits[1] - limits[0]) * count)
    place = jnp.clip(place, 0, count - 1).astype(jnp.int32)
    return jnp.zeros(count, jax_dtype(node["dtype"])).at[place].add(1)


@rule("DynamicStitch", "ParallelDynamicStitch", folds=True)
def _dynamic_stitch(node: Node, *values: Any) -> Any:
    """Row `i` of the result is the last row given index `i`; the indices must be known."""
    half = len(values) // 2
    if not all(is_static(each) for each in values[:half]):
        raise ExecutionError("indices are computed from what is fed")
    indices = np.concatenate([each.ravel() for each in values[:half]])
    rows = [value.reshape(-1, *value.shape[index.ndim:])
            for index, value in zip(values[:half], values[half:], strict=True)]
    size = int(indices.max(initial=-1)) + 1
    check_size([size, *rows[0].shape[1:]], known=True)
    order = np.full(size, len(indices))
    order[indices] = np.arange(len(indices))    # of several the last one stays
    xp = np if all(is_static(each) for each in rows) else jnp
    joined = xp.concatenate([*rows, xp.zeros((1, *rows[0].shape[1:]), rows[0].dtype)])
    return joined[order]


@rule("DynamicPartition", static=(1,), attrs="num_partitions", folds=True)
def _dynamic_partition(node: Node, x: Any, partitions: Any) -> Any:
    rows = x.reshape(-1, *x.shape[partitions.ndim:])
    groups = partitions.ravel()
    if groups.size and not 0 <= groups.min() <= groups.max() < node["num_partitions"]:
        raise ExecutionError(f"partitions reach from {groups.min()} to {groups.max()}; expected "
                             f"[0, {node['num_partitions']})")
    return [rows[np.flatnonzero(groups == group)] for group in range(node["num_partitions"])]
