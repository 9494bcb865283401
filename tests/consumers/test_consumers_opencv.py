"""OpenCV's importer, the pickiest of all, reads the frozen graphs and agrees.

    cv2.dnn.readNetFromTensorflow("frozen_graph.pb"), then forward() without a name
"""

from __future__ import annotations

import cv2
import pytest
from exported import BATCHES
from exports import Exports, Key, exports_in


@pytest.mark.parametrize("key", exports_in("frozen_graph", "modern"), ids="-".join)
def test_opencv_agrees(exports: Exports, key: Key) -> None:
    found = {}
    for count in BATCHES:
        net = cv2.dnn.readNetFromTensorflow(str(exports.path(*key)))
        images = exports.examples(key[0]).images[:count]
        net.setInput(images if images.ndim == 2 else images.transpose(0, 3, 1, 2))
        found[f"probabilities_{count}"] = net.forward()
    exports.check(key[0], found, "probabilities")
