"""Positions, distinct values, buckets. What has as many results as its values say must be known."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline import dtypes
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import jax_dtype, to_jax


@rule("Where", static=(0,), folds=True)
def _where(node: Node, x: Any) -> Any:
    return np.argwhere(x).astype(np.int64)


@rule("Unique", "UniqueWithCounts", static=(0,), attrs="out_idx", folds=True)
def _unique(node: Node, x: Any) -> Any:
    """Distinct values in the order of their first appearance."""
    return _distinct(node, x)


@rule("UniqueV2", "UniqueWithCountsV2", static=(0, 1), attrs="out_idx", folds=True)
def _unique_v2(node: Node, x: Any, axis: Any) -> Any:
    if not len(axis) or x.ndim == 1:
        return _distinct(node, x)
    place = int(axis[0]) % x.ndim
    rows = np.moveaxis(x, place, 0)
    values, index, counts = _distinct(node, rows, counts=True)
    found = [np.moveaxis(values, 0, place), index]
    return [*found, counts] if "Counts" in node.op else found


def _distinct(node: Node, x: Any, *, counts: bool = False) -> list[Any]:
    values, first, index, amounts = np.unique(x, True, True, True, axis=0, equal_nan=False)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    number = dtypes.to_numpy(node["out_idx"])
    found = [values[order], rank[index.ravel()].astype(number)]
    return [*found, amounts[order].astype(number)] if counts or "Counts" in node.op else found


@rule("ListDiff", static=(0, 1), attrs="out_idx", folds=True)
def _list_diff(node: Node, x: Any, y: Any) -> Any:
    """What is in x and not in y, and where."""
    place = np.flatnonzero(~np.isin(x, y))
    return x[place], place.astype(dtypes.to_numpy(node["out_idx"]))


@rule("LowerBound", "UpperBound", attrs="out_type")
def _bound(node: Node, ordered: Any, values: Any) -> Any:
    """Row by row, where each value would go into the ordered ones."""
    ordered, values = to_jax(ordered), to_jax(values)
    before = (ordered[:, None, :] < values[:, :, None] if node.op == "LowerBound"
              else ~(values[:, :, None] < ordered[:, None, :]))   # NaN goes to the end
    return before.sum(-1).astype(jax_dtype(node["out_type"]))


@rule("Bucketize", attrs="boundaries")
def _bucketize(node: Node, x: Any) -> Any:
    boundaries = jnp.asarray(node["boundaries"], jnp.float32)
    return jnp.searchsorted(boundaries, to_jax(x), side="right").astype(jnp.int32)


@rule("UnravelIndex", static=(1,))
def _unravel_index(node: Node, indices: Any, shape: Any) -> Any:
    found = jnp.unravel_index(to_jax(indices), tuple(int(size) for size in shape))
    return jnp.stack(found)


@rule("DataFormatDimMap", attrs="src_format dst_format", folds=True)
def _format_axes(node: Node, x: Any) -> Any:
    """Axes of one data format as axes of another."""
    table = np.array([node["dst_format"].index(letter) for letter in node["src_format"]])
    return np.asarray(table[x], x.dtype) if isinstance(x, np.ndarray) else (
        jnp.asarray(table)[x].astype(x.dtype))


@rule("DataFormatVecPermute", attrs="src_format dst_format", folds=True)
def _format_vector(node: Node, x: Any) -> Any:
    """A vector with an entry for each axis (or only the spatial ones) in another data format."""
    source, target = node["src_format"], node["dst_format"]
    if len(x) == len(source) - 2:
        source, target = (each.replace("N", "").replace("C", "") for each in (source, target))
    return x[np.array([source.index(letter) for letter in target])]
