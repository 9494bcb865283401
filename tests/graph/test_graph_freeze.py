"""Cutting and freezing graphs that TensorFlow built, its own functions as the judge."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline import graph


def ours(message: Any, kind: type = GraphDef) -> Any:
    return kind.FromString(message.SerializeToString())  # type: ignore[attr-defined]


def same(found: Any, expected: Any) -> None:
    left = {node.name: node for node in found.node}
    right = {node.name: node for node in ours(expected).node}
    assert list(left) == list(right)
    for name, node in left.items():
        other = right[name]
        assert (node.op, list(node.input), node.device) == (
            other.op, list(other.input), other.device), name
        if node.op == "Const":
            a, b = (graph.decode_tensor(each.attr["value"].tensor) for each in (node, other))
            assert np.array_equal(a, b), name
        else:
            assert dict(node.attr) == dict(other.attr), name


def two_variables(v1: Any, *, use_resource: bool) -> tuple[Any, dict[str, Any]]:
    """The tutorial's program, an unused variable and what training leaves."""
    values = {"v1": np.float32([1]), "v2": np.float32([2]), "unused": np.float32([3])}
    with v1.variable_scope("", use_resource=use_resource):
        first, second, _ = (v1.get_variable(name, initializer=value)
                            for name, value in values.items())
        total = v1.add(first, second, name="add")
        v1.train.GradientDescentOptimizer(0.1).minimize(total)
        v1.train.Saver()
    return v1.get_default_graph().as_graph_def(), values


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("names", [
    {}, {"variable_names_whitelist": ["v1"]}, {"variable_names_blacklist": ["v1"]},
])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_freezes_as_tensorflow_does(
    tf1_graph: ModuleType, use_resource: bool, names: dict[str, list[str]], caplog: Any
) -> None:
    v1: Any = tf1_graph
    built, values = two_variables(v1, use_resource=use_resource)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        expected = v1.graph_util.convert_variables_to_constants(session, built, ["add"], **names)
    with caplog.at_level(logging.INFO, "pipeline"):
        found = graph.convert_variables_to_constants(values, ours(built), ["add"], **names)
    same(found, expected)
    count = 1 if names else 2
    assert caplog.messages == [f"Froze {count} variables.",
                               f"Converted {count} variables to const ops."]


def test_frozen_graph_gives_three(tf: ModuleType, tf1_graph: ModuleType) -> None:
    built, values = two_variables(tf1_graph, use_resource=False)
    frozen = graph.convert_variables_to_constants(values, ours(built), ["add"])
    assert "Assign" not in {node.op for node in frozen.node}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        parsed = tf.compat.v1.GraphDef.FromString(frozen.SerializeToString())
        result, = tf.import_graph_def(parsed, return_elements=["add:0"])
        assert session.run(result) == [3.0]


@pytest.mark.parametrize(("change", "message"), [
    (lambda v, g: (v, g, ["add:0"]), "add:0 is not in graph; operations are named without"),
    (lambda v, g: (v, g, ["nope"]), "nope is not in graph"),
    (lambda v, g: (v, g, "add"), "dest_nodes must be an iterable of strings"),
    (lambda v, g: ({"v1": v["v1"]}, g, ["add"]), "v2: the graph has this variable and no value"),
    (lambda v, g: ({**v, "v2": np.float32([1, 2])}, g, ["add"]),
     r"v2: the value has shape \(2,\), the graph has \(1,\)"),
    (lambda v, g: ({**v, "v2": np.float64([1])}, g, ["add"]), "v2: the value is float64"),
])
def test_what_cannot_be_frozen(
    tf1_graph: ModuleType, change: Callable[..., Any], message: str
) -> None:
    built, values = two_variables(tf1_graph, use_resource=False)
    with pytest.raises(graph.GraphError, match=message):
        graph.convert_variables_to_constants(*change(values, ours(built)))


def test_embedding_lookups_of_resource_variables(tf: ModuleType, tf1_graph: ModuleType) -> None:
    v1: Any = tf1_graph
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    variable = v1.get_variable("table", initializer=table, use_resource=True)
    v1.identity(v1.nn.embedding_lookup(variable, v1.constant([2, 0])), name="rows")
    built = ours(v1.get_default_graph().as_graph_def())
    frozen = graph.convert_variables_to_constants({"table": table}, built, ["rows"])
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(v1.GraphDef.FromString(frozen.SerializeToString()), name="")
        assert np.array_equal(session.run("rows:0"), table[[2, 0]])


def test_a_resource_variable_that_is_assigned_cannot_be_frozen(tf1_graph: ModuleType) -> None:
    v1: Any = tf1_graph
    variable = v1.get_variable("v", initializer=np.float32([1]), use_resource=True)
    step = variable.assign_add([1.0])
    with pytest.raises(graph.GraphError, match="AssignAddVariableOp takes the resource variable v"):
        graph.convert_variables_to_constants(
            {"v": np.float32([1])}, ours(v1.get_default_graph().as_graph_def()), [step.op.name])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_extracts_and_removes_what_tensorflow_does(tf: ModuleType, tf1_graph: ModuleType) -> None:
    v1: Any = tf1_graph
    a = v1.placeholder("float32", (2,), name="a")
    b = tf.identity(a, "b")
    d = tf.abs(tf.stop_gradient(b, "c"), "d")
    e = tf.identity(d, "e")
    with tf.control_dependencies([b]):
        f = tf.identity(e, "f")
    k = tf.add(tf.identity(f, "h"), e, name="k")
    parts = tf.split(k, 2, name="s")
    tf.add(tf.identity(parts[1], "i"), 1.0, name="o")
    tf.identity(k, "elsewhere")
    v1.get_variable("v", [2], use_resource=False)
    built = v1.get_default_graph().as_graph_def()
    same(graph.extract_sub_graph(ours(built), ["o", "v/read"]),
         v1.graph_util.extract_sub_graph(built, ["o", "v/read"]))
    for protected in ([], ["o", "i"], ["h", "c"]):
        same(graph.remove_training_nodes(ours(built), protected),
             v1.graph_util.remove_training_nodes(built, protected))


def test_check_numerics_is_read_past(tf: ModuleType, tf1_graph: ModuleType) -> None:
    """TensorFlow 2.21 drops the reader's input here and breaks the graph."""
    a = tf1_graph.placeholder("float32", (2,), name="a")
    tf.abs(tf.debugging.check_numerics(a, "", name="check"), "b")
    found = graph.remove_training_nodes(ours(tf1_graph.get_default_graph().as_graph_def()))
    assert [(node.name, list(node.input)) for node in found.node] == [("a", []), ("b", ["a"])]


def test_devices_and_default_attributes_are_removed(tf: ModuleType, tf1_graph: ModuleType) -> None:
    v1: Any = tf1_graph
    with tf.device("/device:GPU:0"):
        a = v1.placeholder("float32", (2, 2), name="a")
        tf.matmul(a, a, name="m")
    v1.get_variable("v", [2], use_resource=False)
    built = v1.get_default_graph().as_graph_def()
    assert not any(node.device for node in graph.clear_devices(ours(built)).node)
    stripped = v1.train.export_meta_graph(strip_default_attrs=True).graph_def
    for node in (each for each in stripped.node if "_output_shapes" in each.attr):
        del node.attr["_output_shapes"]
    same(graph.strip_default_attrs(ours(built)), stripped)


@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("clear", [False, True])
def test_a_meta_graph_is_cleared_and_stripped_as_tensorflow_does(
    tf: ModuleType, tf1_graph: ModuleType, clear: bool, strip: bool
) -> None:
    v1: Any = tf1_graph
    with tf.device("/device:GPU:0"):
        v1.matmul(v1.get_variable("v", [2, 2], use_resource=False), [[1.0], [2.0]], name="m")
    v1.train.Saver()
    found = ours(v1.train.export_meta_graph(), MetaGraphDef)
    for wanted, change in ((clear, graph.clear_devices), (strip, graph.strip_default_attrs)):
        found = change(found) if wanted else found
    expected = ours(v1.train.export_meta_graph(clear_devices=clear, strip_default_attrs=strip),
                    MetaGraphDef)
    assert found == expected


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_no_program_could_read_is_refused_with_the_way_out(
    tf1_graph: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, values = two_variables(tf1_graph, use_resource=False)
    frozen = graph.convert_variables_to_constants(values, ours(built), ["add"])
    for module in ("freeze", "files"):
        monkeypatch.setattr(f"pipeline.graph.{module}._LIMIT", frozen.ByteSize())
    with pytest.raises(graph.GraphError, match=r"reads 2 GiB.*keep the variables in a checkpoint"):
        graph.convert_variables_to_constants(values, ours(built), ["add"])
    with pytest.raises(graph.GraphError, match=r"g\.pb.*reads 2 GiB.*in a checkpoint instead"):
        graph.save_graph(frozen, tmp_path / "g.pb")
    assert not list(tmp_path.iterdir())


def test_export_scope_is_tensorflows(tf: ModuleType, tf1_graph: ModuleType) -> None:
    v1: Any = tf1_graph
    with v1.variable_scope("foo", use_resource=False):
        x = tf.add(v1.get_variable("v", [2]), 1.0, name="x")
    with v1.variable_scope("bar", use_resource=False):
        y = tf.multiply(x, v1.get_variable("w", [2]), name="y")
        v1.add_to_collection("losses", y)
    v1.train.Saver()
    everything = ours(v1.train.export_meta_graph(), MetaGraphDef)
    expected = ours(v1.train.export_meta_graph(export_scope="bar"), MetaGraphDef)
    found = graph.export_scope(everything, "bar")
    same(found.graph_def, expected.graph_def)
    assert dict(found.collection_def) == dict(expected.collection_def)
    with tf.Graph().as_default():
        v1.train.import_meta_graph(v1.MetaGraphDef.FromString(found.SerializeToString()),
                                   input_map={"$unbound_inputs_foo/x": tf.zeros([2])})
        assert [v.name for v in v1.global_variables()] == ["w:0"]
    with pytest.raises(graph.GraphError, match="'nope/'"):
        graph.export_scope(everything, "nope")
