"""What every reader accepts, node by node: shared/reference/consumers.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from exported import MODELS, frozen, meta_graph, network
from tensorboard.compat.proto.variable_pb2 import VariableDef

from pipeline.graph import decode_shape, decode_tensor, op_def, parse_ref

# ops that TensorFlow 0.12 and every reader made for it know
OLD = {"Placeholder", "Const", "Identity", "MatMul", "BiasAdd", "Relu", "Softmax", "Conv2D",
       "DepthwiseConv2dNative", "MaxPool", "AvgPool", "FusedBatchNorm", "Reshape", "Mean", "Add",
       "Mul", "Sub", "Pad"}


def nodes(name: str) -> Iterator[Any]:
    yield from frozen(name).node


@pytest.mark.parametrize("name", MODELS)
def test_nodes_are_plain(name: str) -> None:
    for node in nodes(name):
        assert node.op in OLD, node.name
        assert not node.device
        for text in node.input:
            assert not text.startswith("^"), f"{node.name} has a control input"
            assert ":" not in text, f"{node.name} reads {text}"


@pytest.mark.parametrize("name", MODELS)
def test_only_required_attributes_are_written(name: str) -> None:
    for node in nodes(name):
        known = {attr.name: attr for attr in op_def(node.op).attr}
        for key, value in node.attr.items():
            assert not key.startswith("_"), f"{node.name}.{key}"
            assert value != known[key].default_value, f"{node.name}.{key} is the default"
        assert not {"transpose_a", "transpose_b", "dilations", "explicit_paddings"} & {*node.attr}


@pytest.mark.parametrize("name", MODELS)
def test_constants_and_placeholders(name: str) -> None:
    for node in nodes(name):
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            array = decode_tensor(tensor)
            assert array.size <= 1 or len(tensor.tensor_content) == array.nbytes, node.name
            assert array.dtype.name in ("float32", "int32")
        if node.op == "Placeholder":
            shape = decode_shape(node.attr["shape"].shape)
            assert shape is not None
            assert shape[0] is None
            assert None not in shape[1:]


@pytest.mark.parametrize("name", MODELS)
def test_the_output_is_a_real_op_and_the_only_end(name: str) -> None:
    graph = frozen(name)
    read = {parse_ref(text).node for node in graph.node for text in node.input}
    ends = [node for node in graph.node if node.name not in read]
    assert [(node.name, node.op) for node in ends] == [("probabilities", "Softmax")]
    assert 22 <= graph.versions.producer <= 27


@pytest.mark.parametrize("name", MODELS)
def test_biases_and_order(name: str) -> None:
    """A bias is a BiasAdd; constants come second; nodes after what they read."""
    ops, seen = {node.name: node.op for node in nodes(name)}, set()
    for node in nodes(name):
        assert all(parse_ref(text).node in seen for text in node.input), node.name
        seen.add(node.name)
        if node.op in ("Add", "Mul"):
            assert ops[node.input[0]] != "Const"
        if node.op == "Add":
            assert ops[node.input[0]] not in ("Conv2D", "MatMul")


@pytest.mark.parametrize("name", MODELS)
def test_variables_are_constants_of_their_names(name: str) -> None:
    found = {node.name: decode_tensor(node.attr["value"].tensor)
             for node in nodes(name) if node.op == "Const"}
    for key, value in network(name)[1].items():
        assert np.array_equal(found[key], value), key


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_meta_graphs_have_what_readers_look_for(name: str, resource: bool) -> None:
    meta = meta_graph(name, resource=resource)
    names = {node.name for node in meta.graph_def.node}
    assert meta.meta_info_def.stripped_op_list.op
    assert parse_ref(meta.saver_def.filename_tensor_name).node in names
    assert parse_ref(meta.saver_def.save_tensor_name).node in names
    assert meta.saver_def.restore_op_name in names
    for key in ("variables", "trainable_variables"):
        for value in meta.collection_def[key].bytes_list.value:
            variable = VariableDef.FromString(value)
            assert variable.initializer_name in names
            assert parse_ref(variable.snapshot_name).node in names
