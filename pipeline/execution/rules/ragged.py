"""Ragged tensors: values, and where their rows begin. How many there are must be known.

Sources: tensorflow/core/kernels/ragged_range_op.cc, ragged_tensor_to_tensor_op.cc,
ragged_gather_op.cc, bincount_op.cc, set_kernels.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import scalar, to_jax


@rule("RaggedRange", static=(0, 1, 2), attrs="Tsplits", folds=True)
def _ragged_range(node: Node, starts: Any, limits: Any, deltas: Any) -> Any:
    starts, limits, deltas = np.broadcast_arrays(*map(np.atleast_1d, (starts, limits, deltas)))
    if not deltas.all():
        raise ExecutionError("Requires delta != 0")
    rows = [np.arange(*each, dtype=starts.dtype) for each in zip(
        starts, limits, deltas, strict=True)]
    splits = np.cumsum([0, *map(len, rows)])
    return splits, np.concatenate(rows) if rows else starts[:0]


@rule("RaggedGather", static=(0,), attrs="OUTPUT_RAGGED_RANK PARAMS_RAGGED_RANK Tsplits",
      folds=True)
def _ragged_gather(node: Node, *inputs: Any) -> Any:
    """Rows of a ragged tensor of one partition: splits, values, indices."""
    if node["PARAMS_RAGGED_RANK"] != 1 or not isinstance(inputs[-1], np.ndarray):
        raise ExecutionError("gathers from more than one partition, or rows that are only known "
                             "when running")
    splits, values, indices = inputs
    rows = [np.arange(splits[place], splits[place + 1]) for place in indices.ravel()]
    taken = np.concatenate([np.zeros(0, int), *rows])
    found = np.cumsum([0, *map(len, rows)]).astype(splits.dtype)
    outer = [np.arange(0, indices.size + 1, indices.shape[-1], dtype=splits.dtype)] \
        if indices.ndim > 1 else []
    return (*outer, found, np.asarray(values)[taken] if isinstance(values, np.ndarray)
            else to_jax(values)[taken])


@rule("RaggedBincount", static=(0, 1, 2, 3), attrs="binary_output Tidx", folds=True)
def _ragged_bincount(node: Node, splits: Any, values: Any, size: Any, weights: Any) -> Any:
    count = scalar(size)
    found = np.zeros((len(splits) - 1, count), weights.dtype)
    amounts = np.ones(len(values), weights.dtype) if not weights.size else np.asarray(weights)
    row_of = np.repeat(np.arange(len(splits) - 1), np.diff(splits))
    kept = (values >= 0) & (values < count)
    if node["binary_output"]:
        found[row_of[kept], values[kept]] = 1
    else:
        np.add.at(found, (row_of[kept], values[kept]), amounts[kept])
    return found


@rule("RaggedTensorToTensor", static=(0,), attrs="row_partition_types num_row_partition_tensors "
                                                 "Tshape Tindex")
def _ragged_to_tensor(
    node: Node, shape: Any, values: Any, default: Any, *partitions: Any
) -> Any:
    """Rows cut to, or filled up with the default to, a shape; -1 is as large as needed."""
    values, default = to_jax(values), to_jax(default)
    if not all(isinstance(each, np.ndarray) for each in partitions):
        raise ExecutionError("row partitions are computed from what is fed")
    places, sizes = _places(node["row_partition_types"], partitions, values.shape[0])
    inner = values.shape[1:]
    wanted = list(np.atleast_1d(shape)) if np.ndim(shape) else [-1] * (len(sizes) + len(inner))
    wanted = [size if given < 0 else int(given)
              for given, size in zip(wanted, [*sizes, *inner], strict=True)]
    outer = wanted[:len(sizes)]
    dense = jnp.broadcast_to(default, (*outer, *inner))
    kept = np.all([place < size for place, size in zip(places, outer, strict=True)], 0)
    dense = dense.at[tuple(place[kept] for place in places)].set(values[np.flatnonzero(kept)])
    return dense[tuple(slice(size) for size in wanted)]


def _places(
    kinds: Sequence[str], partitions: Sequence[Any], count: int
) -> tuple[list[Any], list[int]]:
    """Where each value lies along each ragged axis, and how long these are at most."""
    rows, sizes = None, []
    if kinds[0] == "FIRST_DIM_SIZE":
        sizes.append(int(partitions[0]))
        kinds, partitions = kinds[1:], partitions[1:]
    elif kinds[0] == "ROW_SPLITS":
        sizes.append(len(partitions[0]) - 1)
    else:
        raise ExecutionError(f"row partitions of kinds {kinds}")
    places: list[Any] = [np.arange(sizes[0])]
    for kind, partition in zip(kinds, partitions, strict=True):
        if kind == "ROW_SPLITS":
            rows = np.repeat(np.arange(len(partition) - 1), np.diff(partition))
            lengths = np.diff(partition)
        elif kind == "VALUE_ROWIDS":
            rows = partition
            lengths = np.bincount(partition, minlength=len(places[0]))
        else:
            raise ExecutionError(f"row partition of kind {kind}")
        starts = np.cumsum([0, *lengths])[:-1]
        within = np.arange(len(rows)) - starts[rows]
        places = [*(place[rows] for place in places), within]
        sizes.append(int(max(lengths, default=0)))
    if len(places[0]) != count:
        raise ExecutionError(f"{count} values for row partitions of {len(places[0])}")
    return places, sizes


@rule("DenseToDenseSetOperation", static=(0, 1), attrs="set_operation validate_indices",
      folds=True)
def _set_operation(node: Node, first: Any, second: Any) -> Any:
    """Row by row along the last axis, as a sparse tensor of ordered values."""
    operation: Any = {"a-b": np.setdiff1d, "b-a": lambda a, b: np.setdiff1d(b, a),
                 "intersection": np.intersect1d, "union": np.union1d}[node["set_operation"]]
    leading = first.shape[:-1]
    places, values, longest = [], [], 0
    for place in np.ndindex(*leading):
        found = operation(first[place], second[place]).tolist()
        places += [(*place, column) for column in range(len(found))]
        values += found
        longest = max(longest, len(found))
    return (np.array(places, np.int64).reshape(-1, first.ndim), np.array(values, first.dtype),
            np.array([*leading, longest], np.int64))


@rule("SetSize", static=(0, 1, 2), attrs="validate_indices", folds=True)
def _set_size(node: Node, indices: Any, values: Any, shape: Any) -> Any:
    found = np.zeros([int(size) for size in shape[:-1]], np.int32)
    seen = {(*map(int, place[:-1]), value) for place, value in zip(
        indices, values.tolist(), strict=True)}
    for *place, _ in seen:
        found[tuple(place)] += 1
    return found
