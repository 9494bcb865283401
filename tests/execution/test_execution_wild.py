"""Public graphs by strangers against the outputs that TensorFlow recorded for them.

The folder lies beside the checkout; where it is absent there is nothing to collect, and the graphs
that `test_execution_networks` generates stand for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from execution_judge import relative_error

from pipeline import execution, graph

WILD = Path(__file__).resolve().parents[3] / "shared" / "wild"


@pytest.mark.parametrize("path", sorted(WILD.glob("*.pb")), ids=lambda path: path.stem[-40:])
def test_wild_graph_gives_what_tensorflow_gave(path: Path) -> None:
    recorded = np.load(path.with_suffix(".npz"))
    inputs = [key[4:] for key in recorded.files if key.startswith("in::")]
    outputs = [key[5:] for key in recorded.files if key.startswith("out::")]
    f = execution.function(graph.load_graph(path), inputs, outputs)
    results = f(*[recorded[f"in::{name}"] for name in inputs])
    for name, result in zip(outputs, results, strict=True):
        assert relative_error(result, recorded[f"out::{name}"]) <= 1e-5, name
