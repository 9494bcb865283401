"""TensorFlow runs, initialises and restores every model of `conf/model`."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from exported import MODELS, expected, frozen, images, meta_graph, network
from judge import relative_error, run_all

from pipeline import checkpoint
from pipeline.graph import save_meta_graph

OUTPUTS = ("logits", "probabilities")


@pytest.mark.parametrize("opset", ["tf1", "modern"])
@pytest.mark.parametrize("name", MODELS)
def test_frozen_graph_agrees(tf: ModuleType, name: str, opset: Any) -> None:
    feeds = [{"input": images(name, count)} for count in (1, 5, 0)]
    for feed, found in zip(feeds, run_all(tf, frozen(name, opset), OUTPUTS, feeds), strict=True):
        if not len(feed["input"]):
            assert [array.shape for array in found] == [(0, 10), (0, 10)]
            continue
        for array, wanted in zip(found, expected(name, feed["input"]), strict=True):
            assert relative_error(array, wanted) < 1e-5


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_meta_graph_initialises_as_declared_and_restores(
    tf: ModuleType, tmp_path: Path, name: str, resource: bool
) -> None:
    built, variables = network(name)
    save_meta_graph(meta_graph(name, resource=resource), tmp_path / "m.meta")
    checkpoint.write_bundle(tmp_path / "m", variables)
    inputs, v1 = images(name, 3), tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(str(tmp_path / "m.meta"))
        session.run("init")
        begun = dict(zip((v.op.name for v in v1.global_variables()),
                         session.run(v1.global_variables()), strict=True))
        saver.restore(session, str(tmp_path / "m"))
        found = session.run(["logits:0", "probabilities:0"], {"input:0": inputs})
    assert list(begun) == list(variables)
    for key, wanted in built.init(0).items():
        value, spread = np.asarray(wanted), float(np.std(wanted))
        error = 6 * spread / np.sqrt(value.size)
        assert begun[key].shape == value.shape
        assert abs(begun[key].mean() - value.mean()) <= 1.5 * error + 1e-6, key
        assert abs(begun[key].std() - spread) <= 1.5 * error + 1e-6, key
    for array, wanted in zip(found, expected(name, inputs), strict=True):
        assert relative_error(array, wanted) < 1e-5
