"""What `describe` says of a graph."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from execution_judge import ours

from pipeline import execution


def test_network_is_described(tf1_graph: ModuleType) -> None:
    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [None, 784], name="input")
    for layer, sizes in (("layer1", (784, 500)), ("layer2", (500, 10))):
        weights = tf1.constant(np.ones(sizes, np.float32), name=f"{layer}/weights")
        x = tf1.nn.bias_add(x @ weights, tf1.constant(np.ones(sizes[1], np.float32),
                                                      name=f"{layer}/biases"), name=f"{layer}/out")
    tf1.nn.softmax(x, name="probabilities")
    found = execution.describe(ours(tf1.get_default_graph().as_graph_def()), batch=3)
    assert [(each.name, each.shape) for each in found.inputs] == [("input", (None, 784))]
    assert [(each.name, each.dtype) for each in found.outputs] == [("probabilities", "DT_FLOAT")]
    assert found.scopes == {"layer1": 784 * 500 + 500, "layer2": 500 * 10 + 10}
    assert found.parameters == 397_510
    assert found.flops == 3 * 2 * (784 * 500 + 500 * 10)
    assert found.ops["MatMul"] == 2
    assert not found.unsupported
    assert "397,510 parameters" in str(found)


def test_convolutions_are_counted(tf1_graph: ModuleType) -> None:
    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [None, 8, 8, 3], name="input")
    tf1.nn.conv2d(x, np.ones((3, 3, 3, 5), np.float32), 1, "SAME", name="out")
    found = execution.describe(ours(tf1.get_default_graph().as_graph_def()))
    assert found.flops == 2 * (8 * 8 * 5) * (3 * 3 * 3)


def test_what_refuses_a_graph_is_said(tf1_graph: ModuleType) -> None:
    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [None, 8, 8, 3], name="input")
    y = tf1.nn.conv2d(x, np.ones((3, 3, 3, 5), np.float32), 1, "SAME", dilations=2)
    tf1.raw_ops.NthElement(input=y + np.ones(5, np.float32), n=0, name="text")
    found = execution.describe(ours(tf1.get_default_graph().as_graph_def()))
    assert dict(found.unsupported) == {"NthElement": ["text"]}
    assert found.flops is None
    programs = {each.program for each in found.refusals}
    assert {"OpenCV", "TensorFlow ≤ 1.4", "TensorFlow ≤ 1.15"} <= programs


def test_a_graph_that_is_trained_is_counted_without_its_first_values(
    tf1_graph: ModuleType,
) -> None:
    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [None, 4], name="input")
    weights = tf1.Variable(np.ones((4, 3), np.float32), name="weights")
    y = tf1.matmul(x, weights, name="logits")
    tf1.train.GradientDescentOptimizer(0.1).minimize(tf1.reduce_mean(y, name="loss"))
    tf1.train.Saver()
    found = execution.describe(ours(tf1.get_default_graph().as_graph_def()), batch=2)
    assert found.parameters == 12
    assert [each.name for each in found.outputs] == ["loss"]
    assert found.flops == 2 * 2 * 4 * 3


def test_what_a_called_function_holds_is_told_too(tf: ModuleType) -> None:
    function = tf.function(lambda x: tf.raw_ops.NthElement(input=x + 1.0, n=0))
    concrete = function.get_concrete_function(tf.TensorSpec([None], tf.float32))
    graph_def = tf.compat.v1.GraphDef()
    graph_def.library.function.append(concrete.function_def)
    name = concrete.function_def.signature.name
    graph_def.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    graph_def.node.add(name="y", op=name, input=["x"])
    found = execution.describe(ours(graph_def))
    assert [[each.split("/")[0] for each in nodes] for nodes in found.unsupported.values()] == [
        [name]]
    assert list(found.unsupported) == ["NthElement"]
    assert found.ops["AddV2"] == 1
    assert found.flops is None
    assert "AsString" in found.no_flops or "x" in found.no_flops
    assert f"not supported here: NthElement ({name}/" in str(found)
