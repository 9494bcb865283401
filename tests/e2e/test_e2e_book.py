"""The tutorial's recipe on real MNIST reaches the tutorial's accuracy, in one seed of three."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import metrics, run
from configured import ROOT

MNIST = ROOT.parent / "shared" / "mnist"


@pytest.mark.skipif(not MNIST.is_dir(), reason="MNIST's files are not beside the checkout")
def test_the_recipe_of_the_book(home: Path) -> None:
    finished = run(home, "experiment=book", f"dataset.directory={MNIST}", "hydra.run.dir=book",
                   "persistence=frozen_graph")
    assert finished.code == 0, finished.err
    found = metrics(home / "book")
    assert found["history"][-1]["step"] == 30_000
    assert found["test_examples"] == 10_000
    assert found["test_accuracy"] >= 0.981
