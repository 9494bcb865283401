"""Gathering and scattering.

Positions outside the array fail in TensorFlow's CPU kernels; here known ones fail too, running ones
read NaN (the type's minimum for integers) and are not written.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import dimensions, is_static, jax_dtype, scalar, to_jax


def _checked(indices: Any, size: int) -> Any:
    """Indices with every invalid one beyond the end."""
    if is_static(indices):
        if indices.size and (indices.min() < 0 or indices.max() >= size):
            raise ExecutionError(f"indices reach from {indices.min()} to {indices.max()}; "
                                 f"expected [0, {size})")
        return jnp.asarray(indices.astype(np.int32) if size < 2**31 else indices)
    return jnp.where(indices < 0, size, indices)


def gather(x: Any, indices: Any, axis: int) -> Any:
    """Slices of `x` along an axis; known in, known out."""
    if is_static(x) and is_static(indices):
        _checked(indices, x.shape[axis])
        return np.take(x, indices, axis)
    x, inside = to_jax(x), _checked(indices, x.shape[axis])
    if not x.shape[axis]:   # a loop over no rows is traced all the same
        shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1:])
        return jnp.take(jnp.zeros(1, x.dtype), jnp.ones(shape, jnp.int32), mode="fill")
    return jnp.take(x, inside, axis, mode="fill")


@rule("Gather", attrs="validate_indices", folds=True)
def _gather(node: Node, x: Any, indices: Any) -> Any:
    return gather(x, indices, 0)


@rule("GatherV2", static=(2,), attrs="batch_dims", folds=True)
def _gather_v2(node: Node, x: Any, indices: Any, axis: Any) -> Any:
    """The first `batch_dims` axes of both go together."""
    place = scalar(axis)
    place += x.ndim if place < 0 else 0
    batch = node["batch_dims"] + (indices.ndim if node["batch_dims"] < 0 else 0)
    if not 0 <= place < max(x.ndim, 1):
        raise ExecutionError(f"axis {scalar(axis)} of an array with {x.ndim}")
    if not batch:
        return gather(x, indices, place)
    x, indices = to_jax(x), _checked(indices, x.shape[place])
    moved = jnp.moveaxis(x, place, batch)
    flat = indices.reshape(*indices.shape[:batch], -1)
    shaped = flat.reshape(*flat.shape, *[1] * (moved.ndim - batch - 1))
    taken = jnp.take_along_axis(moved, shaped, batch, mode="fill")
    taken = taken.reshape(*x.shape[:batch], *indices.shape[batch:], *moved.shape[batch + 1:])
    rank = indices.ndim - batch
    return jnp.moveaxis(taken, range(batch, batch + rank), range(place, place + rank))


def positions(indices: Any, shape: tuple[int, ...], policy: str = "") -> tuple[Any, ...]:
    """Rows of positions [..., K] as K index arrays, the invalid ones beyond the end.

    Args:
        indices: the positions.
        shape: of the array.
        policy: "IGNORE" lets known positions lie outside of the array too.

    Raises:
        ExecutionError: K exceeds the array's axes, or known positions lie outside of it.
    """
    indices = to_jax(indices) if policy == "IGNORE" else indices
    if indices.shape[-1] > len(shape):
        raise ExecutionError(f"{indices.shape[-1]} positions in each row of indices for an array "
                             f"with {len(shape)} axes")
    return tuple(_checked(indices[..., place], size)
                 for place, size in zip(range(indices.shape[-1]), shape, strict=False))


@rule("GatherNd", attrs="bad_indices_policy")
def _gather_nd(node: Node, x: Any, indices: Any) -> Any:
    x = to_jax(x)
    policy = node["bad_indices_policy"]
    where = positions(indices, x.shape, policy)
    if not where:
        return jnp.broadcast_to(x, (*indices.shape[:-1], *x.shape))
    return x.at[where].get(mode="fill", fill_value=0 if policy == "IGNORE" else None)


@rule("ScatterNdNonAliasingAdd", attrs="bad_indices_policy")
def _scatter_add(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    x = to_jax(x)
    return x.at[positions(indices, x.shape, node["bad_indices_policy"])].add(
        to_jax(updates), mode="drop")


@rule("ScatterNd", static=(2,), attrs="bad_indices_policy")
def _scatter_nd(node: Node, indices: Any, updates: Any, shape: Any) -> Any:
    updates = to_jax(updates)
    zeros = jnp.zeros(dimensions(shape), updates.dtype)
    place = zeros.at[positions(indices, zeros.shape, node["bad_indices_policy"])]
    add = place.max if updates.dtype == jnp.bool_ else place.add
    return add(updates, mode="drop")


_UPDATE = {"Update": "set", "Add": "add", "Min": "min", "Max": "max"}


@rule("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMin",
      "TensorScatterMax", attrs="bad_indices_policy")
def _tensor_scatter(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    x, updates = to_jax(x), to_jax(updates)
    kind = node.op.removeprefix("TensorScatter")
    if kind == "Sub":
        kind, updates = "Add", -updates
    place = x.at[positions(indices, x.shape, node["bad_indices_policy"])]
    return getattr(place, _UPDATE[kind])(updates, mode="drop")


@rule("TopKV2", static=(1,), attrs="sorted index_type")
def _top_k_v2(node: Node, x: Any, k: Any) -> Any:
    x = to_jax(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        values, places = lax.top_k(x, scalar(k))
    else:    # to TensorFlow -0 and 0 are equal, and the first of them comes first
        _, places = lax.top_k(jnp.where(x == 0, jnp.zeros((), x.dtype), x), scalar(k))
        values = jnp.take_along_axis(x, places, -1)
    return values, places.astype(jax_dtype(node["index_type"]))


@rule("TopK", attrs="k sorted")
def _top_k(node: Node, x: Any) -> Any:
    return lax.top_k(to_jax(x), node["k"])


@rule("InTopK", attrs="k")
def _in_top_k(node: Node, predictions: Any, targets: Any) -> Any:
    return _among_top(to_jax(predictions), to_jax(targets), node["k"])


@rule("InTopKV2")
def _in_top_k_v2(node: Node, predictions: Any, targets: Any, k: Any) -> Any:
    return _among_top(to_jax(predictions), to_jax(targets), k)


def _among_top(predictions: Any, targets: Any, k: Any) -> Any:
    """Whether fewer than k classes are larger than the target.

    Never for an invalid target, nor where a prediction is not finite (in_topk_op.h).
    """
    classes = predictions.shape[-1]
    valid = (targets >= 0) & (targets < classes)
    own = jnp.take_along_axis(predictions, jnp.clip(targets, 0, classes - 1)[:, None], 1)
    larger = (predictions > own).sum(1)
    return valid & jnp.isfinite(predictions).all(1) & (larger < k)


@rule("ReverseSequence", attrs="seq_dim batch_dim")
def _reverse_sequence(node: Node, x: Any, lengths: Any) -> Any:
    """Along `seq_dim`, the first `lengths[b]` elements of each batch entry are reversed."""
    x, lengths = to_jax(x), to_jax(lengths)
    time, batch = node["seq_dim"], node["batch_dim"]
    steps = jnp.arange(x.shape[time])
    order = jnp.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    shape = [1] * x.ndim
    shape[time], shape[batch] = x.shape[time], x.shape[batch]
    order = (order if batch < time else order.T).reshape(shape)
    return jnp.take_along_axis(x, order, time)
