"""MetaGraphs as TensorFlow itself would write, read, initialise and restore them."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from google.protobuf import text_format
from test_lowering_freeze import IMAGES, MLP, OUTPUTS, PIXELS, cnn, mlp

from pipeline.graph import VariableDeclaration, save_meta_graph
from pipeline.lowering import LoweringError, export_meta_graph

# what TensorFlow 1.2.1 wrote for the tutorial's program, and the digest of that text
REFERENCE = Path(__file__).resolve().parents[2] / "../shared/reference/metagraph_v1_v2.pbtxt"
DIGEST = "2d81c666582e3b5771a626cd64cdbad8bfb512987fc00fa5668df8f750b92341"
TUTORIAL = [VariableDeclaration(name, (1,), np.float32, initializer={"kind": "value", "value": [v]})
            for name, v in (("v1", 1.0), ("v2", 2.0))]


def add(v: dict[str, Any]) -> Any:
    return v["v1"] + v["v2"]


def declared(values: dict[str, Any], **initializer: Any) -> list[VariableDeclaration]:
    return [VariableDeclaration(name, value.shape, value.dtype,
                                initializer=initializer or {"kind": "zeros"})
            for name, value in values.items()]


def test_tutorial_text_is_that_of_tensorflow_1_2_1() -> None:
    meta_graph = export_meta_graph(add, TUTORIAL, {}, outputs=["add"], form="1.2", init=False)
    found = text_format.MessageToString(meta_graph)
    expected = REFERENCE.read_text() if REFERENCE.exists() else ""
    assert hashlib.sha256(found.encode()).hexdigest() == DIGEST, "\n".join(
        difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm=""))


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("form", ["1.2", "1.9", "2.21"])
@pytest.mark.parametrize("as_text", [False, True])
def test_tensorflow_initialises_saves_and_restores(
    tf: ModuleType, tmp_path: Path, form: str, resource: bool, as_text: bool
) -> None:
    path = tmp_path / "model.ckpt.meta"
    save_meta_graph(export_meta_graph(add, TUTORIAL, {}, outputs=["add"], form=form,
                                      resource=resource), path, as_text=as_text)
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session() as session:
        saver = v1.train.import_meta_graph(str(path))
        assert [v.name for v in v1.global_variables()] == ["v1:0", "v2:0"]
        assert [v.name for v in v1.trainable_variables()] == ["v1:0", "v2:0"]
        session.run("init")
        assert session.run("add:0") == [3.0]
        assert not session.run(v1.report_uninitialized_variables()).size
        variable = v1.global_variables()[0]
        variable.load([5.0], session)
        prefix = saver.save(session, str(tmp_path / "again"))
        variable.load([0.0], session)
        saver.restore(session, prefix)
        assert session.run("add:0") == [7.0]
        assert graph.get_operation_by_name("add").type in ("Add", "AddV2")


@pytest.mark.parametrize("resource", [False, True])
def test_a_checkpoint_of_ours_is_restored_into_the_graph(
    tf: ModuleType, tmp_path: Path, resource: bool
) -> None:
    from pipeline import checkpoint

    save_meta_graph(export_meta_graph(mlp, declared(MLP), PIXELS, outputs=OUTPUTS,
                                      resource=resource), tmp_path / "m.meta")
    checkpoint.write_bundle(tmp_path / "m", MLP)
    x = np.random.default_rng(0).uniform(size=(3, 784)).astype(np.float32)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(str(tmp_path / "m.meta"))
        saver.restore(session, str(tmp_path / "m"))
        found = session.run(["logits:0", "probabilities:0"], {"input:0": x})
    np.testing.assert_allclose(found[0], mlp(MLP, x)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("opset", ["tf1", "modern"])
def test_signature_and_shapes(tf: ModuleType, opset: Any) -> None:
    meta_graph = export_meta_graph(
        cnn, declared({"conv1/weights": np.zeros((5, 5, 1, 8), np.float32),
                       "conv1/biases": np.zeros(8, np.float32),
                       **{f"bn/{name}": np.zeros(8, np.float32) for name in
                          ("gamma", "beta", "moving_mean", "moving_variance")},
                       "layer2/weights": np.zeros((392, 10), np.float32),
                       "layer2/biases": np.zeros(10, np.float32)}), IMAGES, outputs=OUTPUTS,
        opset=opset)
    signature = meta_graph.signature_def["serving_default"]
    assert signature.inputs["input"].name == "input:0"
    assert [d.size for d in signature.outputs["logits"].tensor_shape.dim] == [-1, 10]
    with tf.Graph().as_default() as graph:
        tf.compat.v1.train.import_meta_graph(
            tf.compat.v1.MetaGraphDef.FromString(meta_graph.SerializeToString()))
        for node in meta_graph.graph_def.node:
            inferred = [output.shape for output in
                        graph.get_operation_by_name(node.name).outputs]
            written = [tf.TensorShape(shape.SerializeToString() and _parsed(tf, shape))
                       for shape in node.attr["_output_shapes"].list.shape]
            for left, right in zip(inferred, written, strict=False):
                assert left.is_compatible_with(right), node.name


def _parsed(tf: ModuleType, shape: Any) -> Any:
    from tensorflow.core.framework import tensor_shape_pb2
    return tensor_shape_pb2.TensorShapeProto.FromString(shape.SerializeToString())


def test_collections_and_saver_options() -> None:
    meta_graph = export_meta_graph(
        add, TUTORIAL, {}, outputs=["add"], saver={"max_to_keep": 2},
        collections={"train_op": ["add"], "steps": [1, 2], "losses": [b"x"]})
    assert meta_graph.saver_def.max_to_keep == 2
    assert list(meta_graph.collection_def["train_op"].node_list.value) == ["add"]
    assert list(meta_graph.collection_def["steps"].int64_list.value) == [1, 2]


def test_a_dtype_that_jax_does_not_compute_in_is_refused() -> None:
    with pytest.raises(LoweringError, match="v1: declared float64, JAX computes in float32"):
        export_meta_graph(lambda v: v["v1"] * 2, [VariableDeclaration("v1", (1,), np.float64)], {},
                          outputs=["y"])


def test_a_variable_that_is_the_output(tf: ModuleType) -> None:
    meta_graph = export_meta_graph(lambda v, x: (v["v1"], x), TUTORIAL[:1],
                                   {"x": jax.ShapeDtypeStruct((2,), jnp.float32)},
                                   outputs=["y", "z"])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.import_meta_graph(
            tf.compat.v1.MetaGraphDef.FromString(meta_graph.SerializeToString()))
        session.run("init")
        assert session.run("y:0") == [1.0]
