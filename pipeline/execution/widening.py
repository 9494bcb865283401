"""Types wider than a graph declares, and numbers wider than 32 bits: where they come up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.export import is_symbolic_dim

from pipeline import dtypes, graph
from pipeline.execution.registry import Node
from pipeline.execution.values import is_static, is_wide
from pipeline.graph import GraphError

_GROWING = {
    "Add", "AddV2", "AddN", "Sub", "Mul", "Pow", "Square", "Prod", "Sum", "Cumsum", "Cumprod",
    "LeftShift", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "SegmentSum",
    "SegmentProd", "UnsortedSegmentSum", "UnsortedSegmentProd", "Invert", "Neg", "Abs",
}
_SMALL = {dtypes.NUMBER[name] for name in ("BOOL", "INT8", "UINT8", "INT16", "UINT16", "INT32",
                                           "INT64")}
_WIDE = {dtypes.NUMBER["INT64"], dtypes.NUMBER["UINT64"]}


def widens(node: Node) -> bool:
    """Whether a node's integers of 64 bits may need them though its inputs do not."""
    if node.op == "Cast":
        return node.attrs.get("DstT") in _WIDE and node.attrs.get("SrcT") not in _SMALL
    return node.op in _GROWING and node.attrs.get("T") in _WIDE


def declared(node: Node, outputs: Sequence[Any]) -> Sequence[Any]:
    """Outputs in the dtypes that the op's definition declares.

    NumPy widens sums; in 64-bit mode so does JAX what it computes with NumPy's numbers.
    """
    if not any(map(_may_differ, outputs)) or not graph.has_op_def(node.op):
        return outputs
    try:
        numbers = graph.output_types(node.op, node.attrs)
    except (GraphError, KeyError):
        return outputs
    return tuple(_typed(value, dtypes.to_numpy(number)) if _may_differ(value) else value
                 for value, number in zip(outputs, numbers, strict=True))


def _may_differ(value: Any) -> bool:
    return is_static(value) or is_symbolic_dim(value) or (
        isinstance(value, jax.Array) and is_wide())


def _typed(value: Any, dtype: np.dtype[Any]) -> Any:
    """A known value in its dtype; symbolic sizes stay objects."""
    if isinstance(value, jax.Array):
        return value if value.dtype == dtype else value.astype(dtype)
    held = np.asarray(value, object) if is_symbolic_dim(value) else np.asarray(value)
    if held.dtype == np.object_ and any(map(is_symbolic_dim, held.ravel().tolist())):
        return held
    return held.astype(dtype, copy=False)
