"""Graphs that TensorFlow's importer refuses are refused by name, and no others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from execution_judge import run_in_tensorflow
from google.protobuf import text_format
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import execution, graph

X = np.array([[-1, 2, -3], [4, -5, 6]], np.float32)
GRAPH = """
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } }
    attr { key: "shape" value { shape { dim { size: 2 } dim { size: 3 } } } } }
node { name: "i" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value"
    value { tensor { dtype: DT_INT32 tensor_shape {} int_val: 1 } } } }
node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value"
    value { tensor { dtype: DT_FLOAT tensor_shape {} float_val: 2.0 } } } }
node { name: "y" op: "AddV2" input: "x" input: "c" attr { key: "T" value { type: DT_FLOAT } } }
versions { producer: 1882 }
"""


def node(graph_def: Any, name: str = "y") -> Any:
    return next(each for each in graph_def.node if each.name == name)


def rename(graph_def: Any, name: str) -> None:
    node(graph_def, "c").name = name
    node(graph_def).input[1] = name


def set_type(graph_def: Any, key: str, number: int) -> None:
    node(graph_def).attr[key].type = number


def shapes(graph_def: Any, *ranks: int) -> None:
    listed = node(graph_def).attr["_output_shapes"].list
    for rank in ranks:
        listed.shape.append(graph.encode_shape([None] * rank))


# what is done to the graph, and what the refusal says; None where TensorFlow runs it
CHANGES: list[tuple[str, Callable[[Any], Any], str | None]] = [
    ("as it is", lambda g: None, None),
    ("later consumer", lambda g: setattr(g.versions, "min_consumer", 99999), "min_consumer"),
    ("this consumer", lambda g: setattr(g.versions, "min_consumer", 2474), None),
    ("bad consumer", lambda g: g.versions.bad_consumers.append(2474), "consumer version"),
    ("other bad consumer", lambda g: g.versions.bad_consumers.append(21), None),
    ("without T", lambda g: node(g).attr.pop("T"), "lacks attr 'T'"),
    ("T of bool", lambda g: set_type(g, "T", 10), "bool is not in the list of allowed values"),
    ("T of double", lambda g: set_type(g, "T", 2), "type float .*expected type double"),
    ("another type", lambda g: node(g).input.__setitem__(1, "i"), "type int32 .*type float"),
    ("three inputs", lambda g: node(g).input.append("c"), "3 inputs; expected 2"),
    ("one input", lambda g: node(g).input.pop(), "1 inputs; expected 2"),
    ("control first", lambda g: node(g).input.insert(0, "^i"), "Control dependencies"),
    ("control last", lambda g: node(g).input.append("^i"), None),
    ("blank in a name", lambda g: rename(g, "a b"), "invalid characters"),
    ("underscore first", lambda g: rename(g, "_c"), "invalid characters"),
    ("odd name", lambda g: rename(g, "0.c/-d>e"), None),
    ("unknown attribute of its own", lambda g: set_type(g, "_mine", 1), None),
    ("no shapes for an output", lambda g: shapes(g), "_output_shapes"),
    ("wrong rank", lambda g: shapes(g, 3), "_output_shapes"),
    ("right rank", lambda g: shapes(g, 2), None),
    ("placeholder of no type", lambda g: node(g, "x").attr.pop("dtype"), "lacks attr 'dtype'"),
    ("constant of no rank", lambda g: setattr(
        node(g, "c").attr["value"].tensor.tensor_shape, "unknown_rank", True), None),
]


@pytest.mark.parametrize(("change", "text"), [each[1:] for each in CHANGES],
                         ids=[each[0] for each in CHANGES])
def test_what_tensorflow_refuses_is_refused(
    tf: ModuleType, change: Callable[[Any], Any], text: str | None
) -> None:
    graph_def = text_format.Parse(GRAPH, GraphDef())
    if text == "_output_shapes" and not node(graph_def).attr["_output_shapes"].list.shape:
        node(graph_def).attr["_output_shapes"].list.SetInParent()
    change(graph_def)
    if text is None:
        (expected,) = run_in_tensorflow(tf.compat.v1, graph_def, ["y"], {"x": X})
        np.testing.assert_allclose(execution.function(graph_def, ["x"], ["y"])(X)[0], expected)
        return
    with pytest.raises((ValueError, TypeError, tf.errors.OpError)):
        run_in_tensorflow(tf.compat.v1, graph_def, ["y"], {"x": X})
    with pytest.raises(execution.ExecutionError, match=text):
        execution.function(graph_def, ["x"], ["y"])(X)


def test_an_attribute_of_a_later_version_is_left_out_and_logged(
    caplog: pytest.LogCaptureFixture
) -> None:
    graph_def = text_format.Parse(GRAPH, GraphDef())
    node(graph_def).attr["newer"].i = 3
    with caplog.at_level(logging.WARNING):
        (found,) = execution.function(graph_def, ["x"], ["y"])(X)
    np.testing.assert_array_equal(found, X + 2)
    assert "'newer' that TensorFlow 2.21 does not know" in caplog.text


def test_text_with_a_byte_order_mark_is_read_and_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "graph.pbtxt"
    path.write_text(GRAPH, "utf-8-sig")
    assert len(graph.load_graph(path).node) == 4
    path.write_text(GRAPH, "utf-16")
    with pytest.raises(graph.GraphError, match="UTF-16; expected UTF-8"):
        graph.load_graph(path)
