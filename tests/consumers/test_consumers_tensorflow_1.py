"""`opset=tf1` graphs hold nothing that TensorFlow 1.0.0 does not know.

Its table of ops says so, `tensorflow_1_0_ops.txt`; to ask the program: `ask_old_tensorflow.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from exported import MODELS, frozen, meta_graph
from tensorflow_1_0 import objections

GRAPHS: dict[str, Any] = {
    "frozen": frozen,
    "meta_graph": lambda name: meta_graph(name).graph_def,
    "resource": lambda name: meta_graph(name, resource=True).graph_def,
}


@pytest.mark.parametrize("kind", GRAPHS)
@pytest.mark.parametrize("name", MODELS)
def test_tensorflow_1_0_knows_every_node(name: str, kind: str) -> None:
    graph = GRAPHS[kind](name)
    assert [text for node in graph.node for text in objections(node)] == []
    assert 22 <= graph.versions.producer <= 27


@pytest.mark.parametrize("name", MODELS)
def test_a_modern_graph_is_told_apart(name: str) -> None:
    """The table does refuse what is newer."""
    graph = frozen(name, "modern")
    newer = {node.op for node in graph.node if objections(node)}
    assert newer == {node.op for node in graph.node} & {"FusedBatchNormV3", "AddV2"}
