"""What is computed before running: how large it may become, and whose memory that is.

A node of a few bytes can ask for an array of any size, and every fold's result lives as long as the
graph is looked at. What is large is therefore asked for of the budget of memory first; where only
shapes are wanted it is not computed at all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, cast

import jax
import numpy as np
from jax import lax

from pipeline import budget
from pipeline.execution.registry import Node
from pipeline.execution.values import is_static, to_jax

_LARGE = 1 << 26    # bytes that XLA had better fuse away
_SMALL = 1 << 16    # bytes that are not worth asking for
# their results are views of what they take, or repeat one value without memory of its own
_VIEWS = frozenset({
    "Const", "Identity", "IdentityN", "RefIdentity", "StopGradient", "PreventGradient", "Snapshot",
    "CheckNumerics", "PlaceholderWithDefault", "Switch", "RefSwitch", "ExpandDims", "Squeeze",
    "EnsureShape", "Transpose", "Slice", "StridedSlice", "Split", "SplitV", "Unpack", "Fill",
    "BroadcastTo", "Reverse", "ReverseV2", "Print", "NoOp", "Assert", "ControlTrigger",
})
_JOINING = frozenset({"Concat", "ConcatV2", "Pack", "ParallelConcat", "DynamicStitch",
                      "ParallelDynamicStitch"})


def folded_size(node: Node, arguments: Sequence[Any]) -> int:
    """Bytes that a node's result may take at most, as far as the shapes of its inputs tell.

    Rules whose result follows from the values of their inputs (`Tile`, `Pad`, `Range`) ask by
    `check_size` themselves.
    """
    arrays = [each for each in arguments if is_static(each)]
    if node.op in _VIEWS or not arrays:
        return 0
    sizes = [each.size for each in arrays]
    most = sum(sizes) if node.op in _JOINING else max(sizes)
    if node.op in ("Gather", "GatherV2") and len(arrays) > 1 and arrays[0].size:
        most = max(most, arrays[1].size * arrays[0].size // min(arrays[0].shape))
    elif node.op not in _JOINING and len(arrays) > 1:
        with suppress(ValueError):    # shapes of an op that does not broadcast
            most = max(most, math.prod(np.broadcast_shapes(*(each.shape for each in arrays))))
    return int(most * max(each.dtype.itemsize for each in arrays))


def ask(
    node: Node, static: Collection[int], demanded: bool, arguments: Sequence[Any]
) -> Sequence[Any]:
    """The arguments to fold; what is large and need not be known is left to XLA instead.

    Args:
        node: whose arguments they are.
        static: positions of those that its rule must know.
        demanded: whether the result must be known to other nodes.
        arguments: known values.

    Raises:
        MemoryBudgetError: the budget has no room for the result.
    """
    size = folded_size(node, arguments)
    narrow = all(each.dtype.itemsize < 8 and each.dtype != np.object_ for each in arguments)
    if size > _LARGE and narrow and not demanded:
        kept = {index % len(arguments) for index in static}
        return [each if index in kept else to_jax(each) for index, each in enumerate(arguments)]
    if size > _SMALL:
        budget.current().require(size, f"{node.op} node {node.name!r}, computed before running")
    return arguments


def hold(node: Node, outputs: Sequence[Any]) -> None:
    """Charges the memory of folded arrays to the budget for as long as they live.

    Raises:
        MemoryBudgetError: they are more than it has left.
    """
    for each in outputs:
        if isinstance(each, np.ndarray) and each.nbytes > _SMALL:
            budget.hold(each, f"{node.op} node {node.name!r}, computed before running")


def leave_out(node: Node, static: Collection[int], arguments: Sequence[Any]) -> Sequence[Any]:
    """The arguments with large known values replaced by ones that are only traced.

    Args:
        node: whose arguments they are.
        static: positions of those that its rule must know; they stay.
        arguments: known and traced values.
    """
    known = [index for index, each in enumerate(arguments) if is_static(each)]
    kept = {index % len(arguments) for index in static if arguments}
    if folded_size(node, arguments) <= _SMALL and all(
            arguments[index].nbytes <= _SMALL for index in known):
        return arguments
    return [traced(each) if index in known and index not in kept else each
            for index, each in enumerate(arguments)]


def traced(value: Any) -> Any:
    """An array of the shape and dtype that JAX computes a known value in; strings stay."""
    if value.dtype == np.object_:
        return value
    dtype = to_jax(np.zeros(1, value.dtype)).dtype
    return lax.full(value.shape, 0, dtype)


def early(wanted: bool, arguments: Sequence[Any]) -> AbstractContextManager[Any]:
    """A context that computes at once where all arguments are known and the result has to be."""
    if wanted and _all_numbers(arguments):
        return cast("AbstractContextManager[Any]", jax.ensure_compile_time_eval())
    return nullcontext()


def known(outputs: Sequence[Any], arguments: Sequence[Any]) -> Sequence[Any]:
    """The outputs of such a computation as known values."""
    if not _all_numbers(arguments):
        return outputs
    return tuple(np.asarray(each) if isinstance(each, jax.Array)
                 and not isinstance(each, jax.core.Tracer) else each for each in outputs)


def _all_numbers(arguments: Sequence[Any]) -> bool:
    return all(is_static(each) and np.asarray(each).dtype != np.object_ for each in arguments)
