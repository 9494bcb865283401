"""Reductions, cumulative sums, positions of extremes."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.elementwise import truncated_quotient
from pipeline.execution.values import cast, operands, scalar, to_jax, vector

_REDUCE = {"Sum": "sum", "Prod": "prod", "Mean": "mean", "Max": "max", "Min": "min",
           "All": "all", "Any": "any"}


def _axes(axes: Any, rank: int) -> tuple[int, ...]:
    given = vector(np.atleast_1d(axes))
    found = tuple(axis + rank if axis < 0 else axis for axis in given)
    if any(not 0 <= axis < rank for axis in found) or len(set(found)) < len(found):
        raise ExecutionError(f"axes {given} of an array with {rank}")
    return found


@rule(*_REDUCE, static=(1,), attrs="keep_dims", folds=True)
def _reduce(node: Node, x: Any, axes: Any) -> Any:
    """Extremes of nothing are the type's least and largest values; means of integers truncate."""
    xp, x = operands(x)
    where = _axes(axes, x.ndim)
    options: dict[str, Any] = {"axis": where, "keepdims": node["keep_dims"]}
    if node.op in ("Sum", "Prod"):
        options["dtype"] = x.dtype
    if node.op in ("Max", "Min"):
        options["initial"] = np.asarray(extreme(x.dtype, low=node.op == "Max"), x.dtype)
    if node.op == "Mean" and xp.issubdtype(x.dtype, np.integer):
        return _integer_mean(x, where, node["keep_dims"])
    return getattr(xp, _REDUCE[node.op])(x, **options)


def _integer_mean(x: Any, axes: tuple[int, ...], keep_dims: bool) -> Any:
    """The sum, which the type may not hold, over the count: n · Σ(x / n) + Σ(x mod n) over n."""
    xp, x = operands(x)
    wide = x.astype(xp.promote_types(x.dtype, np.int32 if x.dtype != np.uint32 else x.dtype))
    count = np.asarray(max(math.prod(x.shape[axis] for axis in axes), 1), wide.dtype)
    quotient = truncated_quotient(wide, count)
    options: dict[str, Any] = {"axis": axes, "keepdims": keep_dims, "dtype": wide.dtype}
    rest = xp.sum(wide - quotient * count, **options)
    carried = truncated_quotient(rest, count)
    whole, rest = xp.sum(quotient, **options) + carried, rest - carried * count
    towards_zero = xp.where((whole > 0) & (rest < 0), -1, xp.where((whole < 0) & (rest > 0), 1, 0))
    return (whole + towards_zero.astype(wide.dtype)).astype(x.dtype)


def extreme(dtype: Any, *, low: bool) -> Any:
    """The least or the largest value of a type; infinities for floats."""
    if dtype == np.bool_:
        return not low
    if jnp.issubdtype(dtype, np.integer):
        limits = jnp.iinfo(dtype)
        return limits.min if low else limits.max
    return -np.inf if low else np.inf


@rule("EuclideanNorm", static=(1,), attrs="keep_dims")
def _euclidean_norm(node: Node, x: Any, axes: Any) -> Any:
    x = to_jax(x)
    squares = jnp.sum(x * jnp.conj(x), axis=_axes(axes, x.ndim), keepdims=node["keep_dims"])
    return jnp.sqrt(squares).astype(x.dtype)


@rule("ArgMax", "ArgMin", static=(1,), attrs="output_type", folds=True)
def _arg_extreme(node: Node, x: Any, axis: Any) -> Any:
    """NaN is no extreme, as on TensorFlow's CPU (Eigen's ArgMaxTupleReducer)."""
    xp, x = operands(x)
    find = xp.argmax if node.op == "ArgMax" else xp.argmin
    if xp.issubdtype(x.dtype, np.floating):
        x = xp.where(xp.isnan(x), extreme(x.dtype, low=node.op == "ArgMax"), x)
    return cast(find(x, scalar(axis)), node["output_type"])


@rule("Cumsum", "Cumprod", "CumulativeLogsumexp", static=(1,), attrs="exclusive reverse")
def _cumulative(node: Node, x: Any, axis: Any) -> Any:
    """`exclusive` leaves each element itself out; `reverse` goes from the end."""
    x = to_jax(x)
    (place,) = _axes(np.array(scalar(axis)), x.ndim)
    if node["reverse"]:
        x = jnp.flip(x, place)
    if node["exclusive"]:
        first = {"Cumsum": 0, "Cumprod": 1, "CumulativeLogsumexp": -np.inf}[node.op]
        head = jnp.full([1 if a == place else n for a, n in enumerate(x.shape)], first, x.dtype)
        kept = jax.lax.slice_in_dim(x, 0, max(x.shape[place] - 1, 0), axis=place)
        x = jnp.concatenate([head, kept], place) if x.shape[place] else x
    compute: Any = {"Cumsum": jnp.cumsum, "Cumprod": jnp.cumprod,
                    "CumulativeLogsumexp": jax.lax.cumlogsumexp}[node.op]
    result = compute(x, axis=place).astype(x.dtype)
    return jnp.flip(result, place) if node["reverse"] else result
