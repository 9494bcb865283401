"""Shapes: they are known even when the values are not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax.export import is_symbolic_dim

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import dimensions, operands, scalar, vector


@rule("Shape", attrs="out_type")
def _shape(node: Node, x: Any) -> Any:
    return _sizes(node, x)


@rule("ShapeN", attrs="out_type")
def _shape_n(node: Node, *values: Any) -> Any:
    return [_sizes(node, x) for x in values]


def _sizes(node: Node, x: Any) -> Any:
    """The shape as integers; objects where sizes are symbolic, as they are during an export."""
    symbolic = any(is_symbolic_dim(size) for size in x.shape)
    return np.array(x.shape, object if symbolic else dtypes.to_numpy(node["out_type"]))


@rule("Size", attrs="out_type")
def _size(node: Node, x: Any) -> Any:
    return np.array(x.size, dtypes.to_numpy(node["out_type"]))


@rule("Rank")
def _rank(node: Node, x: Any) -> Any:
    return np.array(x.ndim, np.int32)


@rule("Reshape", static=(1,), folds=True)
def _reshape(node: Node, x: Any, shape: Any) -> Any:
    xp, x = operands(x)
    if shape.dtype == np.object_:   # symbolic sizes
        return xp.reshape(x, tuple(shape.tolist()))
    return xp.reshape(x, _completed(vector(shape), x.shape))


def _completed(wanted: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape whose -1 stands beside a 0 completed as TensorFlow does: sizes of 0 are left out."""
    if 0 not in wanted or -1 not in wanted or 0 not in shape:
        return wanted
    given = math.prod(size for size in wanted if size > 0)
    held = math.prod(size for size in shape if size > 0)
    if wanted.count(-1) > 1 or held % given:
        raise ExecutionError(f"an array of shape {shape} cannot be reshaped to {wanted}")
    return tuple(held // given if size == -1 else size for size in wanted)


@rule("ExpandDims", static=(1,), folds=True)
def _expand_dims(node: Node, x: Any, axis: Any) -> Any:
    xp, x = operands(x)
    return xp.expand_dims(x, scalar(axis, legacy=True))


@rule("Squeeze", attrs="squeeze_dims", folds=True)
def _squeeze(node: Node, x: Any) -> Any:
    """Without `squeeze_dims` every axis of size 1 goes; old writers call it `axis`."""
    xp, x = operands(x)
    axes = node["squeeze_dims"]
    return xp.squeeze(x, tuple(axes)) if axes else xp.squeeze(x)


@rule("EnsureShape", attrs="shape", folds=True)
def _ensure_shape(node: Node, x: Any) -> Any:
    expected = node["shape"]
    if expected is not None and (len(expected) != x.ndim or any(
            want not in (None, size) for want, size in zip(expected, x.shape, strict=True))):
        raise ExecutionError(f"shape {x.shape} is not the {expected} it must be")
    return x


@rule("BroadcastTo", static=(1,), folds=True)
def _broadcast_to(node: Node, x: Any, shape: Any) -> Any:
    xp, x = operands(x)
    return xp.broadcast_to(x, dimensions(shape))


@rule("BroadcastArgs", static=(0, 1), folds=True)
def _broadcast_args(node: Node, first: Any, second: Any) -> Any:
    return np.array(np.broadcast_shapes(dimensions(first), dimensions(second)), first.dtype)


@rule("BroadcastGradientArgs", static=(0, 1), folds=True)
def _broadcast_gradient_args(node: Node, first: Any, second: Any) -> Any:
    """The axes over which each side was broadcast, and that its gradient sums."""
    rank = max(len(first), len(second))
    np.broadcast_shapes(dimensions(first), dimensions(second))   # raises where they do not fit
    if vector(first) == vector(second):
        return [np.zeros(0, first.dtype)] * 2
    padded = [(1,) * (rank - len(shape)) + dimensions(shape) for shape in (first, second)]
    return [np.array([axis for axis in range(rank) if sizes[axis] == 1], first.dtype)
            for sizes in padded]


@rule("Transpose", "ConjugateTranspose", static=(1,), folds=True)
def _transpose(node: Node, x: Any, permutation: Any) -> Any:
    xp, x = operands(x)
    moved = xp.transpose(x, vector(permutation))
    return xp.conj(moved) if node.op == "ConjugateTranspose" else moved


@rule("InvertPermutation", folds=True)
def _invert_permutation(node: Node, permutation: Any) -> Any:
    xp, permutation = operands(permutation)
    if xp is np and not np.array_equal(np.sort(permutation), np.arange(permutation.size)):
        raise ExecutionError(f"{permutation.tolist()} is no permutation")
    return xp.argsort(permutation).astype(permutation.dtype)
