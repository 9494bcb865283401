"""OpenVINO reads frozen graphs, MetaGraphs with checkpoints, and SavedModels, and agrees.

    openvino.convert_model("frozen_graph.pb")
    openvino.convert_model("model.ckpt-5.meta", output=["logits", "probabilities"])
    openvino.convert_model("saved_model")
"""

from __future__ import annotations

import pytest
from exports import EXPORTS, Arrays, Exports, Key


@pytest.fixture(scope="module")
def found(exports: Exports) -> dict[Key, Arrays]:
    return exports.read("read_with_openvino.py", {key: exports.path(*key) for key in EXPORTS})


@pytest.mark.parametrize("key", EXPORTS, ids="-".join)
def test_openvino_agrees(exports: Exports, found: dict[Key, Arrays], key: Key) -> None:
    name, form = key
    if form in ("frozen_graph", "modern"):    # of a GraphDef it offers only the ends
        exports.check(name, found[key], "probabilities")
    else:
        exports.check(name, found[key], "logits", "probabilities")
