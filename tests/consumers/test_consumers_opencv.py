"""OpenCV's importer, the pickiest of all, reads the frozen graphs and agrees."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from exported import MODELS, expected, frozen, images

from pipeline.graph import save_graph


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_opencv_agrees(tmp_path: Path, name: str, count: int) -> None:
    save_graph(frozen(name), tmp_path / "frozen_graph.pb")
    net = cv2.dnn.readNetFromTensorflow(str(tmp_path / "frozen_graph.pb"))
    inputs = images(name, count)
    net.setInput(inputs if inputs.ndim == 2 else inputs.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(net.forward(), expected(name, inputs)[1], rtol=1e-4, atol=1e-6)
