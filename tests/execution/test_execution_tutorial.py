"""The tutorial's §3 and §4: graphs and checkpoints that TensorFlow wrote, run without it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from execution_judge import ours

from pipeline import checkpoint, execution, graph


@pytest.fixture
def saved(tf1_graph: ModuleType, tmp_path: Path) -> str:
    """§3: `result = v1 + v2`, saved by TensorFlow."""
    tf1 = tf1_graph
    v1 = tf1.Variable(tf1.constant(1.0, shape=[1]), name="v1", use_resource=False)
    v2 = tf1.Variable(tf1.constant(2.0, shape=[1]), name="v2", use_resource=False)
    v1 + v2  # the node "add"
    saver = tf1.train.Saver()
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        return str(saver.save(session, str(tmp_path / "model.ckpt")))


@pytest.mark.parametrize("as_text", [False, True])
def test_meta_graph_restores_and_runs(
    tf1_graph: ModuleType, saved: str, as_text: bool, tmp_path: Path
) -> None:
    path = f"{saved}.meta"
    if as_text:
        path = str(tmp_path / "model.ckpt.meta.json")
        tf1_graph.train.export_meta_graph(path, as_text=True,
                                          saver_def=tf1_graph.train.Saver().as_saver_def())
    imported = execution.import_meta_graph(path)
    assert imported.saver is not None
    imported.saver.restore(saved)
    result = imported.run(imported.get_tensor_by_name("add:0"))
    np.testing.assert_array_equal(result, np.array([3.0], np.float32))
    assert [each.name for each in imported.get_collection("trainable_variables")] == ["v1:0",
                                                                                      "v2:0"]


def test_initializers_run_and_the_saver_saves(saved: str, tmp_path: Path) -> None:
    imported = execution.import_meta_graph(f"{saved}.meta")
    with pytest.raises(execution.ExecutionError, match="uninitialized value v1"):
        imported.run("add:0")
    imported.run(["v1/Assign", "v2/Assign"])
    assert imported.saver is not None
    prefix = imported.saver.save(tmp_path / "again.ckpt")
    reader = checkpoint.CheckpointReader(str(prefix))
    assert {name: reader.get_tensor(name).tolist() for name in reader} == {"v1": [1.0],
                                                                           "v2": [2.0]}


def test_import_scope_keeps_the_keys_of_the_checkpoint(saved: str) -> None:
    imported = execution.import_meta_graph(f"{saved}.meta", import_scope="imp")
    imported = execution.import_meta_graph(f"{saved}.meta", import_scope="imp", into=imported)
    assert list(imported.variables) == ["imp/v1", "imp/v2", "imp_1/v1", "imp_1/v2"]
    assert imported.saver is not None
    imported.saver.restore(saved)
    assert imported.run("imp_1/add:0").tolist() == [3.0]
    assert "imp/v1" not in imported.values


def test_frozen_graph_is_imported_and_run(tf1_graph: ModuleType, saved: str, tmp_path: Path
                                          ) -> None:
    with tf1_graph.Session() as session:
        tf1_graph.train.Saver().restore(session, saved)
        frozen = tf1_graph.graph_util.convert_variables_to_constants(
            session, tf1_graph.get_default_graph().as_graph_def(), ["add"])
    path = tmp_path / "combined_model.pb"
    path.write_bytes(frozen.SerializeToString())
    (result,) = execution.import_graph_def(graph.load_graph(path), return_elements=["add:0"])
    assert repr(result.graph.run([result])) == "[array([3.], dtype=float32)]"
    assert result.name == "import/add:0"


def test_function_of_variables_is_differentiable(tf1_graph: ModuleType, saved: str) -> None:
    import jax

    imported = execution.import_meta_graph(f"{saved}.meta")
    f = imported.function([], ["add"])
    assert f.variables == ("v1", "v2")
    values = {"v1": np.float32([4.0]), "v2": np.float32([5.0])}
    assert f(values)[0].tolist() == [9.0]
    gradient = jax.grad(lambda values: (f(values)[0] ** 2).sum())(values)
    assert {name: value.tolist() for name, value in gradient.items()} == {"v1": [18.0],
                                                                          "v2": [18.0]}
    with pytest.raises(execution.ExecutionError, match="variables lack v2"):
        f({"v1": values["v1"]})


NAMES = ["v1", "v1:1", "nope:0", "nope", "v1:a", "^v1", "v1:0:0", "", ":0", 3, "v1:0"]


@pytest.mark.parametrize("name", NAMES, ids=str)
@pytest.mark.parametrize("method", ["get_tensor_by_name", "get_operation_by_name"])
def test_names_are_refused_in_tensorflows_words(
    tf1_graph: ModuleType, saved: str, name: object, method: str
) -> None:
    imported = execution.import_meta_graph(f"{saved}.meta")
    try:
        expected = getattr(tf1_graph.get_default_graph(), method)(name).name
    except (ValueError, KeyError, TypeError) as error:
        with pytest.raises(type(error), match=f"^{re.escape(error.args[0])}$"):
            getattr(imported, method)(name)
    else:
        assert getattr(imported, method)(name).name == expected


def test_import_is_refused_in_tensorflows_words(tf1_graph: ModuleType, saved: str) -> None:
    definition = tf1_graph.get_default_graph().as_graph_def()
    cases = [
        {"return_elements": ["nope:0"]}, {"return_elements": ["nope"]},
        {"return_elements": ["add:7"]}, {"input_map": {"nope:0": np.float32([1])}},
        {"input_map": {"v1:1": np.float32([1])}}, {"name": "a b"}, {"return_elements": [3]},
    ]
    for arguments in cases:
        with pytest.raises((ValueError, TypeError)) as expected:
            tf1_graph.import_graph_def(definition, **arguments)
        with pytest.raises(type(expected.value)) as found:
            execution.import_graph_def(ours(definition), **arguments)
        assert str(found.value) == str(expected.value)


def test_prefixes_and_input_map(tf1_graph: ModuleType) -> None:
    x = tf1_graph.placeholder(tf1_graph.float32, [2], name="x")
    tf1_graph.add(x, 1.0, name="y")
    definition = ours(tf1_graph.get_default_graph().as_graph_def())
    (first,) = execution.import_graph_def(definition, return_elements=["y:0"], name="pre")
    (second,) = execution.import_graph_def(
        definition, {"x": first}, ["y:0"], "pre", into=first.graph)
    assert second.name == "pre_1/y:0"
    assert second.graph.run(second, {"pre/x:0": [1, 2]}).tolist() == [3, 4]
    (third,) = execution.import_graph_def(definition, {"x:0": np.float32([5, 6])}, ["y:0"])
    assert third.graph.run({"y": third, "op": third.op})["y"].tolist() == [6, 7]
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor: The name 'x'"):
        first.graph.run(first, {"x": 1})
    with pytest.raises(ValueError, match="must feed a value for placeholder tensor 'pre/x' with "
                                         r"dtype float and shape \[2\]"):
        first.graph.run(first)
    with pytest.raises(ValueError, match=r"Cannot feed value of shape \(3,\) for Tensor pre/x:0"):
        first.graph.run(first, {"pre/x:0": [1, 2, 3]})


def test_a_scope_asks_for_what_it_lacks(tf1_graph: ModuleType, tmp_path: Path) -> None:
    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [2], name="x")
    go = tf1.no_op("go")
    with tf1.variable_scope("bar", use_resource=False), tf1.control_dependencies([go]):
        y = x * tf1.get_variable("w", [2]) + 1.0
        tf1.add_to_collection("losses", y)
    path = str(tmp_path / "scope.meta")
    tf1.train.export_meta_graph(path, export_scope="bar")
    given = {"$unbound_inputs_x": np.float32([2, 3]), "^$unbound_inputs_go": np.float32(0)}
    with tf1.Graph().as_default(), pytest.raises(ValueError, match="unbound") as expected:
        tf1.train.import_meta_graph(path)
    with pytest.raises(execution.ExecutionError) as found:
        execution.import_meta_graph(path)
    assert str(found.value) == str(expected.value)
    with pytest.raises(execution.ExecutionError, match="Unknown input node"):
        execution.import_meta_graph(path, input_map={"$unbound_inputs_x": np.float32([2, 3])})
    imported = execution.import_meta_graph(path, import_scope="new", input_map=given)
    imported.variables["new/w"].set_value(np.float32([10, 20]))
    assert imported.run(imported.get_collection("losses")) == [pytest.approx([21, 61])]
    assert "unbound_inputs" not in imported.get_all_collection_keys()
