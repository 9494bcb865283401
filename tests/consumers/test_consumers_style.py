"""What every reader accepts, node by node: shared/reference/consumers.md."""

from __future__ import annotations

import re

import numpy as np
import pytest
from exported import MODELS, frozen, meta_graph, network
from tensorboard.compat.proto.types_pb2 import DT_FLOAT
from tensorboard.compat.proto.variable_pb2 import VariableDef
from tensorflow_1_0 import table

from pipeline.graph import decode_shape, decode_tensor, op_def, parse_ref

# ops that TensorFlow 0.12 and every reader made for it know
OLD = {"Placeholder", "Const", "Identity", "MatMul", "BiasAdd", "Relu", "Softmax", "Conv2D",
       "DepthwiseConv2dNative", "MaxPool", "AvgPool", "FusedBatchNorm", "Reshape", "Mean", "Add",
       "Mul", "Sub", "Pad"}
OPS = {"tf1": OLD, "modern": OLD - {"Add", "FusedBatchNorm"} | {"AddV2", "FusedBatchNormV3"}}
PRODUCERS = {"tf1": range(24, 28), "modern": range(2474, 2475)}
# spelled out by TensorFlow 2's own freezing, and unknown to TensorFlow 1.0
UNKNOWN = {"dilations", "explicit_paddings", "grad_a", "grad_b"}

every_graph = pytest.mark.parametrize("graph", [
    pytest.param((name, opset), id=f"{name}-{opset}") for name in MODELS for opset in OPS])
Graph = tuple[str, str]


@every_graph
def test_nodes_are_plain(graph: Graph) -> None:
    for node in frozen(*graph).node:
        assert node.op in OPS[graph[1]], node.name
        assert not node.device
        for text in node.input:
            assert not text.startswith("^"), f"{node.name} has a control input"
            assert ":" not in text, f"{node.name} reads {text}"
    assert not frozen(*graph).library.function


@every_graph
def test_of_defaults_those_are_written_that_tensorflow_1_0_knows(graph: Graph) -> None:
    for node in frozen(*graph).node:
        known = {attr.name: attr for attr in op_def(node.op).attr}
        first = table().get(node.op) or table().get(re.sub(r"V\d$", "", node.op))
        old = {attr.name for attr in first.attr} if first else set()
        for key, value in node.attr.items():
            assert not key.startswith("_"), f"{node.name}.{key}"
            assert key in old or value != known[key].default_value, f"{node.name}.{key}"
        assert not UNKNOWN & {*node.attr}, node.name
        if "padding" in node.attr:
            assert node.attr["padding"].s in (b"SAME", b"VALID"), node.name


@every_graph
def test_constants_and_placeholders(graph: Graph) -> None:
    for node in frozen(*graph).node:
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            array = decode_tensor(tensor)
            assert array.size <= 1 or len(tensor.tensor_content) == array.nbytes, node.name
            assert array.dtype.name in ("float32", "int32")
        if node.op == "Placeholder":
            assert node.attr["dtype"].type == DT_FLOAT
            shape = decode_shape(node.attr["shape"].shape)
            assert shape == (None, *network(graph[0])[0].input_shape)


@every_graph
def test_the_output_is_a_real_op_and_the_only_end(graph: Graph) -> None:
    message = frozen(*graph)
    read = {parse_ref(text).node for node in message.node for text in node.input}
    ends = [node for node in message.node if node.name not in read]
    assert [(node.name, node.op) for node in ends] == [("probabilities", "Softmax")]
    assert message.versions.producer in PRODUCERS[graph[1]]
    assert not message.versions.min_consumer


@every_graph
def test_operands_and_order(graph: Graph) -> None:
    """A bias is a BiasAdd; constants come second; images reach a convolution as they are fed.

    Each node comes after what it reads, and shapes are not computed.
    """
    ops, seen = {node.name: node.op for node in frozen(*graph).node}, set()
    for node in frozen(*graph).node:
        assert all(parse_ref(text).node in seen for text in node.input), node.name
        seen.add(node.name)
        if node.op in ("Add", "AddV2", "Mul"):
            assert ops[node.input[0]] != "Const", node.name
            assert ops[node.input[0]] not in ("Conv2D", "MatMul"), f"{node.name} is a bias"
        if node.op in ("Conv2D", "DepthwiseConv2dNative"):
            assert ops[node.input[0]] != "Reshape", node.name
        if node.op == "Reshape":
            assert ops[node.input[1]] == "Const", node.name


@every_graph
def test_batch_normalization_is_one_op_in_inference_form(graph: Graph) -> None:
    nodes = [node for node in frozen(*graph).node if node.op.startswith("FusedBatchNorm")]
    expected = sum(name.endswith("moving_variance") for name in network(graph[0])[1])
    assert len(nodes) == expected
    for node in nodes:
        assert not node.attr["is_training"].b, "the default is true"
        assert len(node.input) == 5


@every_graph
def test_variables_are_constants_of_their_names(graph: Graph) -> None:
    found = {node.name: decode_tensor(node.attr["value"].tensor)
             for node in frozen(*graph).node if node.op == "Const"}
    for key, value in network(graph[0])[1].items():
        assert np.array_equal(found[key], value), key


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_meta_graphs_have_what_readers_look_for(name: str, resource: bool) -> None:
    meta = meta_graph(name, resource=resource)
    names = {node.name for node in meta.graph_def.node}
    used = {node.op for node in meta.graph_def.node}
    assert {op.name for op in meta.meta_info_def.stripped_op_list.op} == used
    assert parse_ref(meta.saver_def.filename_tensor_name).node in names
    assert parse_ref(meta.saver_def.save_tensor_name).node in names
    assert meta.saver_def.restore_op_name in names
    specs = network(name)[0].specs
    for key, wanted in {
        "variables": [*specs],
        "trainable_variables": [name for name, spec in specs.items() if spec.trainable],
    }.items():
        declared = [VariableDef.FromString(value)
                    for value in meta.collection_def[key].bytes_list.value]
        assert [variable.variable_name for variable in declared] == [f"{n}:0" for n in wanted]
        for variable in declared:
            assert variable.initializer_name in names
            assert parse_ref(variable.snapshot_name).node in names
