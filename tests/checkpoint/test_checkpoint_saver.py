from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from pipeline.checkpoint import CheckpointReader, Saver, latest_checkpoint


def test_files_equal_those_of_tensorflow(tmp_path: Path, tf1_graph: ModuleType) -> None:
    values = {"layer1/weights": np.ones((784, 5), np.float32), "v1": np.float32([1.0]),
              "global_step": np.int64(7)}
    for name, value in values.items():
        tf1_graph.Variable(value, name=name)
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        theirs = tf1_graph.train.Saver().save(session, str(tmp_path / "theirs"), global_step=7)
    ours = Saver(values).save(tmp_path / "ours", global_step=7)
    for suffix in (".index", ".data-00000-of-00001"):
        assert Path(ours + suffix).read_bytes() == Path(theirs + suffix).read_bytes()
    assert latest_checkpoint(tmp_path) == ours
    assert CheckpointReader(theirs)["v1"] == 1.0
