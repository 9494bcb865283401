"""Real TensorFlow as the judge of a graph of ours: it reads the bytes and runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from google.protobuf.message import Message

Arrays = list[np.ndarray[Any, Any]]


def run(
    tf: ModuleType, graph_def: Message, outputs: Sequence[str],
    feeds: Mapping[str, np.ndarray[Any, Any]],
) -> Arrays:
    """The values of the outputs when the inputs have these values."""
    return run_all(tf, graph_def, outputs, [feeds])[0]


def run_all(
    tf: ModuleType, graph_def: Message, outputs: Sequence[str],
    several: Sequence[Mapping[str, np.ndarray[Any, Any]]],
) -> list[Arrays]:
    """The same for several sets of inputs, in one session."""
    parsed = tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(parsed, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        return [session.run([f"{name}:0" for name in outputs],
                            {f"{name}:0": value for name, value in feeds.items()})
                for feeds in several]


def relative_error(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest expected magnitude (at least 1)."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{found.shape} where {expected.shape} is expected"
    assert found.dtype == expected.dtype, f"{found.dtype} where {expected.dtype} is expected"
    if found.dtype.kind in "biu":
        return float(np.count_nonzero(found != expected))
    wide = np.complex128 if found.dtype.kind == "c" else np.float64
    left, right = found.astype(wide), expected.astype(wide)
    special = ~np.isfinite(right)
    if not np.array_equal(left[special], right[special], equal_nan=True):
        return float("inf")
    left, right = left[~special], right[~special]
    if not np.all(np.isfinite(left)):
        return float("inf")
    return float(np.max(np.abs(left - right), initial=0.0) / np.max(np.abs(right), initial=1.0))
