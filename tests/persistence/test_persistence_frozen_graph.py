"""Frozen graphs in the hands of TensorFlow 1 sessions and OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from configured import configured, digits
from persisted_cases import Persisted, images

from pipeline import graph, model, persistence
from pipeline.config.persistence import FrozenGraphTarget
from pipeline.model import predict_logits

Runs = Callable[[str], Persisted]


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True, initial=0))
    return raised / raised.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("name", ["adam", "cnn"])
def test_a_session_gives_the_native_figures_for_any_batch(
    tf1_graph: ModuleType, persisted: Runs, name: str
) -> None:
    run = persisted(name)
    graph_def = tf1_graph.GraphDef()
    graph_def.ParseFromString(run.artifacts["frozen_graph"].path.read_bytes())
    tf1_graph.import_graph_def(graph_def, name="")
    with tf1_graph.Session() as session:
        for batch in (0, 1, 17):
            fed = {"input:0": images(run.trained, batch)}
            logits, probabilities = session.run(["logits:0", "probabilities:0"], fed)
            pixels = digits().test.pixels[:batch]
            native = predict_logits(run.trained.network, run.trained.variables, pixels)
            np.testing.assert_allclose(logits, native, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(probabilities, softmax(native), rtol=1e-4, atol=1e-6)
            assert probabilities.shape == (batch, 10)
    training = {node.op for node in graph_def.node} & {"VariableV2", "RandomUniform", "Assign"}
    assert not training


@pytest.mark.parametrize("name", ["adam", "cnn"])
def test_opencv_reads_it(persisted: Runs, name: str) -> None:
    run = persisted(name)
    net = cv2.dnn.readNetFromTensorflow(str(run.artifacts["frozen_graph"].path))
    given = images(run.trained, 5)
    if given.ndim == 4:
        given = np.ascontiguousarray(given.transpose(0, 3, 1, 2))
    net.setInput(given)
    pixels = digits().test.pixels[:5]
    native = predict_logits(run.trained.network, run.trained.variables, pixels)
    np.testing.assert_allclose(net.forward(), softmax(native), atol=2e-6)


def test_the_averages_are_what_is_frozen(persisted: Runs) -> None:
    run = persisted("adam")
    loaded = persistence.load_variables(
        run.artifacts["frozen_graph"].path, run.trained.network
    )
    for name, value in run.trained.variables.items():
        np.testing.assert_array_equal(loaded[name], value)
        assert not np.array_equal(loaded[name], run.trained.current[name])


def test_weights_that_the_graph_holds_turned_are_restored(tmp_path: Path) -> None:
    network = model.build(configured("model=module", "model.module=configured_module.Turned").model)
    trained = persistence.Trained(network, network.init(0), 1)
    made, = persistence.persist({"g": FrozenGraphTarget(kind="frozen_graph")}, trained, tmp_path)
    constants = {node.name for node in graph.load_graph(made.path).node if node.op == "Const"}
    assert "einsum/kernel/transpose" in constants
    for name, value in persistence.load_variables(made.path, network).items():
        np.testing.assert_array_equal(value, trained.variables[name])


def test_names_and_form_are_as_asked(tf: ModuleType, persisted: Runs, tmp_path: Path) -> None:
    target = FrozenGraphTarget(
        kind="frozen_graph", file="deep/other.pbtxt", input="x", logits="scores", output="y",
        opset="modern", as_text=True,
    )
    made, = persistence.persist({"other": target}, persisted("adam").trained, tmp_path)
    text = (tmp_path / "deep" / "other.pbtxt").read_text()
    assert made.path == tmp_path / "deep" / "other.pbtxt"
    from google.protobuf import text_format

    graph_def = text_format.Parse(text, tf.compat.v1.GraphDef())
    names = {node.name for node in graph_def.node}
    assert {"x", "scores", "y", "layer1/weights"} <= names
