"""Runs one graph in a TensorFlow session and in JAX and compares the outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import execution


def ours(graph_def: Any) -> Any:
    """TensorFlow's GraphDef as the message class that the product uses."""
    return GraphDef.FromString(graph_def.SerializeToString())


def run_in_tensorflow(
    tf1: ModuleType, graph_def: Any, outputs: Sequence[str], feeds: Mapping[str, Any]
) -> list[np.ndarray]:
    """The outputs of a serialised graph, each from a fresh `compat.v1` session."""
    with tf1.Graph().as_default() as graph:
        definition = tf1.GraphDef.FromString(graph_def.SerializeToString())
        tf1.import_graph_def(definition, name="")
        tensors = [name if ":" in name else f"{name}:0" for name in outputs]
        feed = {name if ":" in name else f"{name}:0": value for name, value in feeds.items()}
        with tf1.Session(graph=graph) as session:
            return list(session.run(tensors, feed))


def relative_error(found: Any, expected: Any, floor: float = 1e-30) -> float:
    """The largest difference over the largest magnitude; NaN and infinities must coincide.

    `floor` is the least magnitude that counts, for results that cancel out.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"shape {found.shape}, TensorFlow has {expected.shape}"
    if expected.size == 0:
        return 0.0
    if expected.dtype.kind in "biu":
        return float((found != expected).any())
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    found, expected = found.astype(wide), expected.astype(wide)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(found[~finite], expected[~finite])
    if not finite.any():
        return 0.0
    scale = np.abs(expected[finite]).max()
    return float(np.abs(found[finite] - expected[finite]).max() / max(scale, floor, 1e-30))


def assert_agrees(
    tf1: ModuleType, graph_def: Any, outputs: Sequence[str], feeds: Mapping[str, Any],
    tolerance: float = 1e-5,
) -> None:
    """The graph gives in JAX what it gives in TensorFlow."""
    expected = run_in_tensorflow(tf1, graph_def, outputs, feeds)
    function = execution.function(ours(graph_def), list(feeds), outputs)
    for name, found, want in zip(outputs, function(*feeds.values()), expected, strict=True):
        error = relative_error(found, want)
        assert error <= tolerance, f"{name}: relative error {error}"
