"""A model trained on a folder of colour pictures, its frozen graph run by TensorFlow."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
from configured import perform
from PIL import Image

from pipeline import execution, graph


def test_a_folder_of_colour_pictures_becomes_a_graph_that_tensorflow_runs(
    tmp_path: Path, tf1_graph: ModuleType
) -> None:
    random = np.random.RandomState(0)
    for name, shade in (("a", 40), ("b", 120), ("c", 200)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.clip(shade + 30 * random.randn(12, 20, 3), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    done = perform(tmp_path / "run", "dataset=folder", f"dataset.directory={tmp_path / 'data'}",
                   "model=cnn", "trainer.batch_size=8", "trainer.epochs=null", "trainer.steps=2",
                   "trainer.interval=2", "persistence=frozen_graph")
    assert [parity.agrees for parity in done.parities] == [True]
    made = graph.load_graph(tmp_path / "run" / "frozen_graph.pb")
    tf1_graph.import_graph_def(tf1_graph.GraphDef.FromString(made.SerializeToString()), name="")
    images = random.rand(5, 12, 20, 3).astype(np.float32)
    with tf1_graph.Session() as session:
        placed = session.graph.get_tensor_by_name("input:0")
        logits = session.graph.get_tensor_by_name("logits:0")
        assert placed.shape.as_list() == [None, 12, 20, 3]
        assert logits.shape.as_list() == [None, 3]
        found = session.run(logits, {placed: images})
    ours, = execution.function(made, ["input"], ["logits"])(images)
    np.testing.assert_allclose(found, np.asarray(ours), atol=1e-5)
