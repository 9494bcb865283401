"""OpenCV's importer, the pickiest of all, reads the frozen graphs and agrees.

    cv2.dnn.readNetFromTensorflow("frozen_graph.pb"), then forward() without a name
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import jax
import numpy as np
import pytest
from exported import BATCHES
from exports import Exports, Key, exports_in
from judge import relative_error
from tensorflow_1_0 import objections

from pipeline import lowering
from pipeline.graph import save_graph


@pytest.mark.parametrize("key", exports_in("frozen_graph", "modern"), ids="-".join)
def test_opencv_agrees(exports: Exports, key: Key) -> None:
    found = {}
    for count in BATCHES:
        net = cv2.dnn.readNetFromTensorflow(str(exports.path(*key)))
        images = exports.examples(key[0]).images[:count]
        net.setInput(images if images.ndim == 2 else images.transpose(0, 3, 1, 2))
        found[f"probabilities_{count}"] = net.forward()
    exports.check(key[0], found, "probabilities")


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_opencv_agrees_on_dilated_convolutions(tmp_path: Path, padding: str) -> None:
    """It takes a Conv2D with `dilations` for one without: tf1 graphs have none."""
    random = np.random.default_rng(0)
    variables = {"conv/weights": random.normal(size=(3, 3, 2, 4)).astype(np.float32)}
    images = random.normal(size=(2, 9, 11, 2)).astype(np.float32)

    def inference(values: dict[str, Any], x: Any) -> Any:
        with jax.named_scope("conv"):
            return jax.nn.relu(jax.lax.conv_general_dilated(
                x, values["conv/weights"], (1, 1), padding, rhs_dilation=(2, 3),
                dimension_numbers=("NHWC", "HWIO", "NHWC")))

    graph = lowering.freeze(inference, variables, {
        "input": jax.ShapeDtypeStruct((None, *images.shape[1:]), images.dtype)}, outputs=["y"])
    assert [node.name for node in graph.node if node.name in variables] == ["conv/weights"]
    assert [text for node in graph.node for text in objections(node)] == []
    save_graph(graph, tmp_path / "frozen_graph.pb")
    net = cv2.dnn.readNetFromTensorflow(str(tmp_path / "frozen_graph.pb"))
    net.setInput(images.transpose(0, 3, 1, 2))
    found = net.forward().transpose(0, 2, 3, 1)
    assert relative_error(found, inference(variables, images)) < 1e-5
