"""Arrays cut, joined, filled and rearranged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import (
    check_size,
    dimensions,
    is_static,
    jax_dtype,
    operands,
    scalar,
    vector,
)


def _join(axis: int, values: Sequence[Any]) -> Any:
    xp, *arrays = operands(*values)
    return xp.concatenate(arrays, axis)


@rule("ConcatV2", static=(-1,), folds=True)
def _concat_v2(node: Node, *values: Any) -> Any:
    return _join(scalar(values[-1]), values[:-1])


@rule("Concat", static=(0,), folds=True)
def _concat(node: Node, axis: Any, *values: Any) -> Any:
    return _join(scalar(axis, legacy=True), values)


@rule("ConcatOffset", static=(0,), folds=True)
def _concat_offset(node: Node, axis: Any, *shapes: Any) -> Any:
    """Where each of the arrays begins in their concatenation."""
    place, begin, found = scalar(axis), 0, []
    for shape in shapes:
        offset = np.zeros_like(shape)
        offset[place] = begin
        begin += int(shape[place])
        found.append(offset)
    return found


@rule("Pack", attrs="axis", folds=True)
def _pack(node: Node, *values: Any) -> Any:
    xp, *arrays = operands(*values)
    return xp.stack(arrays, node["axis"])


@rule("Unpack", attrs="axis num", folds=True)
def _unpack(node: Node, x: Any) -> Any:
    xp, x = operands(x)
    if x.shape[node["axis"]] != node["num"]:
        raise ExecutionError(f"axis {node['axis']} of {x.shape} has not the size {node['num']}")
    return list(xp.moveaxis(x, node["axis"], 0))


@rule("Split", static=(0,), attrs="num_split", folds=True)
def _split(node: Node, axis: Any, x: Any) -> Any:
    xp, x = operands(x)
    return xp.split(x, node["num_split"], scalar(axis))


@rule("SplitV", static=(1, 2), attrs="num_split", folds=True)
def _split_v(node: Node, x: Any, sizes: Any, axis: Any) -> Any:
    """One size may be -1: what the others leave."""
    xp, x = operands(x)
    wanted, place = list(vector(sizes)), scalar(axis)
    if len(wanted) != node["num_split"]:
        raise ExecutionError(f"{len(wanted)} sizes for num_split={node['num_split']}")
    if -1 in wanted:
        wanted[wanted.index(-1)] = x.shape[place] - sum(wanted) - 1
    if sum(wanted) != x.shape[place] or min(wanted, default=0) < 0:
        raise ExecutionError(f"sizes {vector(sizes)} do not split {x.shape[place]}")
    return xp.split(x, np.cumsum(wanted)[:-1].tolist(), place)


@rule("Tile", static=(1,), folds=True)
def _tile(node: Node, x: Any, multiples: Any) -> Any:
    xp, x = operands(x)
    if len(multiples) != x.ndim:
        raise ExecutionError(f"multiples {vector(multiples)} for {x.ndim} axes")
    sizes = [size * count for size, count in zip(x.shape, vector(multiples), strict=True)]
    check_size(sizes, known=xp is np)
    return xp.tile(x, vector(multiples)) if x.ndim else x


@rule("Pad", static=(1,), folds=True)
def _pad(node: Node, x: Any, paddings: Any) -> Any:
    xp, x = operands(x)
    return xp.pad(x, _padding(paddings, x))


@rule("PadV2", static=(1,), folds=True)
def _pad_v2(node: Node, x: Any, paddings: Any, value: Any) -> Any:
    xp, x, value = operands(x, value)
    return xp.pad(x, _padding(paddings, x), constant_values=value)


@rule("MirrorPad", static=(1,), attrs="mode", folds=True)
def mirror_pad(node: Node, x: Any, paddings: Any) -> Any:
    """`REFLECT` leaves the edge out, `SYMMETRIC` repeats it."""
    xp, x = operands(x)
    pairs = _padding(paddings, x)
    for most, size in zip(map(max, pairs), x.shape, strict=True):
        if most > max(size - (node["mode"] == "REFLECT"), 0):
            raise ExecutionError(f"paddings {pairs} mirror more than there is of {x.shape}")
    return xp.pad(x, pairs, mode=node["mode"].lower())


def _padding(paddings: Any, x: Any) -> list[tuple[int, int]]:
    pairs = _pairs(paddings, x.ndim)
    if is_static(x):    # else its sizes may be symbols
        check_size([n + sum(pair) for n, pair in zip(x.shape, pairs, strict=True)], known=True)
    return pairs


def _pairs(paddings: Any, rank: int) -> list[tuple[int, int]]:
    if paddings.shape != (rank, 2) or paddings.min(initial=0) < 0:
        raise ExecutionError(f"paddings {paddings.tolist()}; expected {rank} pairs from 0")
    check_size([int(paddings.max(initial=0))])
    return [(int(low), int(high)) for low, high in paddings]


@rule("ReverseV2", static=(1,), folds=True)
def _reverse_v2(node: Node, x: Any, axes: Any) -> Any:
    xp, x = operands(x)
    return xp.flip(x, vector(axes))


@rule("Reverse", static=(1,), folds=True)
def _reverse(node: Node, x: Any, flags: Any) -> Any:
    xp, x = operands(x)
    return xp.flip(x, tuple(np.flatnonzero(flags).tolist()))


@rule("Roll", static=(1, 2), folds=True)
def _roll(node: Node, x: Any, shift: Any, axis: Any) -> Any:
    xp, x = operands(x)
    for distance, place in zip(vector(np.atleast_1d(shift)), vector(np.atleast_1d(axis)),
                               strict=True):
        x = xp.roll(x, distance, place)
    return x


@rule("Fill", static=(0,), attrs="index_type", folds=True)
def _fill(node: Node, shape: Any, value: Any) -> Any:
    xp, value = operands(value)
    if value.ndim:
        raise ExecutionError(f"value must be a scalar, got shape {value.shape}")
    return xp.broadcast_to(value, dimensions(shape))


@rule("ZerosLike", "OnesLike", folds=True)
def _like(node: Node, x: Any) -> Any:
    xp = np if is_static(x) else jnp
    return xp.zeros_like(x) if node.op == "ZerosLike" else xp.ones_like(x)


@rule("Range", static=(0, 1, 2), folds=True)
def _range(node: Node, start: Any, limit: Any, delta: Any) -> Any:
    if any(each.ndim for each in (start, limit, delta)) or delta == 0:
        raise ExecutionError("start, limit and delta must be scalars and delta not 0")
    if (delta > 0 and start > limit) or (delta < 0 and start < limit):
        raise ExecutionError(f"delta {delta} does not lead from {start} to {limit}")
    if start.dtype.kind in "iu":
        count = -((int(start) - int(limit)) // int(delta))
    else:   # in the type itself: (0.3 - 0) / 0.1 is 3 in float32 and more than 3 in float64
        count = int(np.ceil((limit - start) / delta))
    check_size([count], known=True)
    return start + np.arange(count).astype(start.dtype) * delta


@rule("LinSpace", static=(2,))
def _lin_space(node: Node, start: Any, stop: Any, count: Any) -> Any:
    return jnp.linspace(start, stop, dimensions(count.reshape(1))[0], dtype=start.dtype)


@rule("OneHot", static=(1,), attrs="axis")
def _one_hot(node: Node, indices: Any, depth: Any, on: Any, off: Any) -> Any:
    if on.ndim or off.ndim or not -1 <= node["axis"] <= indices.ndim:
        raise ExecutionError(f"on_value and off_value must be scalars, axis={node['axis']} "
                             f"at most {indices.ndim}")
    axis = node["axis"] if node["axis"] >= 0 else indices.ndim
    positions = jnp.expand_dims(jnp.asarray(indices), axis)
    shape = [1] * (indices.ndim + 1)
    shape[axis] = scalar(depth)
    check_size([*indices.shape, shape[axis]])
    return jnp.where(positions == jnp.arange(shape[axis]).reshape(shape), on, off)


@rule("Slice", static=(2,), folds=True)
def _slice(node: Node, x: Any, begin: Any, size: Any) -> Any:
    """A size of -1 takes the rest; it asks for a known begin."""
    wanted = vector(size)
    if is_static(begin):
        starts = vector(begin)
        for start, length, whole in zip(starts, wanted, x.shape, strict=True):
            if not 0 <= start <= whole or start + max(length, 0) > whole or length < -1:
                raise ExecutionError(f"begin {starts} and size {wanted} exceed {x.shape}")
        return x[tuple(slice(start, None if length == -1 else start + length)
                       for start, length in zip(starts, wanted, strict=True))]
    if -1 in wanted:
        raise UnknownValue("size -1 with a begin that is computed from what is fed", (1,))
    return lax.dynamic_slice(jnp.asarray(x), list(begin), wanted)


@rule("SpaceToDepth", attrs="block_size data_format")
def _space_to_depth(node: Node, x: Any) -> Any:
    x, block = _to_nhwc(x, node["data_format"]), node["block_size"]
    batch, height, width, depth = x.shape
    x = x.reshape(batch, height // block, block, width // block, block, depth)
    x = x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // block, width // block, -1)
    return _from_nhwc(x, node["data_format"])


@rule("DepthToSpace", attrs="block_size data_format")
def _depth_to_space(node: Node, x: Any) -> Any:
    x, block = _to_nhwc(x, node["data_format"]), node["block_size"]
    batch, height, width, depth = x.shape
    x = x.reshape(batch, height, width, block, block, depth // block**2)
    x = x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height * block, width * block, -1)
    return _from_nhwc(x, node["data_format"])


def _to_nhwc(x: Any, data_format: str) -> Any:
    return jnp.asarray(x).transpose(0, 2, 3, 1) if data_format == "NCHW" else jnp.asarray(x)


def _from_nhwc(x: Any, data_format: str) -> Any:
    return x.transpose(0, 3, 1, 2) if data_format == "NCHW" else x


@rule("SpaceToBatchND", static=(1, 2))
def _space_to_batch_nd(node: Node, x: Any, block: Any, paddings: Any) -> Any:
    sizes, spatial = vector(block), len(block)
    untouched = [(0, 0)] * (x.ndim - spatial - 1)
    x = jnp.pad(jnp.asarray(x), [(0, 0), *_pairs(paddings, spatial), *untouched])
    rest = x.shape[spatial + 1:]
    split = [part for size, whole in zip(sizes, x.shape[1:], strict=False)
             for part in (whole // size, size)]
    x = x.reshape(x.shape[0], *split, *rest)
    blocks, cells = range(2, 2 * spatial + 1, 2), range(1, 2 * spatial + 1, 2)
    x = x.transpose(*blocks, 0, *cells, *range(2 * spatial + 1, x.ndim))
    return x.reshape(-1, *[split[2 * i] for i in range(spatial)], *rest)


@rule("BatchToSpaceND", static=(1, 2))
def _batch_to_space_nd(node: Node, x: Any, block: Any, crops: Any) -> Any:
    sizes, spatial = vector(block), len(block)
    x = jnp.asarray(x)
    batch, rest = x.shape[0] // int(np.prod(sizes)), x.shape[spatial + 1:]
    cells = x.shape[1:spatial + 1]
    x = x.reshape(*sizes, batch, *x.shape[1:])
    order = [spatial]
    for axis in range(spatial):
        order += [spatial + 1 + axis, axis]
    x = x.transpose(*order, *range(2 * spatial + 1, x.ndim))
    x = x.reshape(batch, *[a * b for a, b in zip(cells, sizes, strict=True)], *rest)
    pairs = _pairs(crops, spatial)
    if any(low + high > size for (low, high), size in zip(pairs, x.shape[1:], strict=False)):
        raise ExecutionError(f"crops {pairs} exceed {x.shape[1:]}")
    cut = [slice(low, size - high) for (low, high), size in zip(pairs, x.shape[1:], strict=False)]
    return x[(slice(None), *cut)]


@rule("Empty", static=(0,), attrs="dtype init", folds=True)
def _empty(node: Node, shape: Any) -> Any:
    return jnp.zeros(dimensions(shape), jax_dtype(node["dtype"]))


@rule("SpaceToBatch", static=(1,), attrs="block_size")
def _space_to_batch(node: Node, x: Any, paddings: Any) -> Any:
    return _space_to_batch_nd(node, x, np.array([node["block_size"]] * 2), paddings)


@rule("BatchToSpace", static=(1,), attrs="block_size")
def _batch_to_space(node: Node, x: Any, crops: Any) -> Any:
    return _batch_to_space_nd(node, x, np.array([node["block_size"]] * 2), crops)


@rule("ParallelConcat", attrs="shape", folds=True)
def _parallel_concat(node: Node, *values: Any) -> Any:
    return _join(0, values)


@rule("InplaceUpdate", "InplaceAdd", "InplaceSub")
def _inplace(node: Node, x: Any, rows: Any, values: Any) -> Any:
    place = jnp.asarray(x).at[rows]
    change = place.set if node.op == "InplaceUpdate" else place.add
    return change(-values if node.op == "InplaceSub" else values)
