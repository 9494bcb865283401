"""Graphs as TensorFlow 1.0 to 2.21 wrote them: attributes left out, old producers, old names."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from execution_judge import assert_agrees, ours, run_in_tensorflow
from test_execution_networks import build_cnn

from pipeline import execution, graph


def without_defaults(graph_def: Any) -> Any:
    """The graph as a writer leaves it that knows no attribute which has its default."""
    made = type(graph_def).FromString(graph_def.SerializeToString())
    for node in made.node:
        defaults = graph.signature(node.op).defaults
        for key, value in list(node.attr.items()):
            default = defaults.get(key)
            if key.startswith("_") or (
                    default is not None
                    and default.SerializeToString() == value.SerializeToString()):
                del node.attr[key]
    return made


@pytest.mark.parametrize("training", [False, True])
def test_absent_attributes_have_their_defaults(tf1_graph: ModuleType, training: bool) -> None:
    """`FusedBatchNorm` without `is_training` is in training form, `Conv2D` is NHWC."""
    random = np.random.default_rng(0)
    graph_def = build_cnn(tf1_graph, random, training)
    bare = without_defaults(graph_def)
    names = {node.op: node for node in bare.node}
    assert ("is_training" in names["FusedBatchNormV3"].attr) is not training
    assert "data_format" not in names["Conv2D"].attr
    images = random.random((4, 28, 28, 1), np.float32)
    assert_agrees(tf1_graph, bare, ["probabilities", "batch_mean"], {"input": images})


@pytest.mark.parametrize("producer", [9, 21, 22, 24, 27, 1882])
def test_an_empty_placeholder_shape_is_unknown_before_producer_22(
    tf1_graph: ModuleType, producer: int
) -> None:
    x = tf1_graph.placeholder(tf1_graph.float32, [], name="x")
    tf1_graph.negative(x, name="y")
    graph_def = tf1_graph.get_default_graph().as_graph_def()
    graph_def.versions.producer = producer
    rows = np.ones((2, 3), np.float32)
    f = execution.function(ours(graph_def), ["x"], ["y"])
    if producer < 22:
        (expected,) = run_in_tensorflow(tf1_graph, graph_def, ["y"], {"x": rows})
        np.testing.assert_array_equal(f(rows)[0], expected)
    else:
        with pytest.raises(ValueError, match="Cannot feed value of shape"):
            run_in_tensorflow(tf1_graph, graph_def, ["y"], {"x": rows})
        with pytest.raises(execution.ExecutionError, match="Cannot feed value of shape"):
            f(rows)
