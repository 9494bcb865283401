"""One place for the compiled programs of all these processes, and one run that many look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import SMALL, Finished, run


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every process is started, and what it takes for its home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def trained(home: Path) -> tuple[Path, Finished]:
    """A whole run: train, evaluate, persist, verify, report."""
    before = set(home.iterdir())
    finished = run(home, *SMALL, "hydra.run.dir=trained", "notes=two words")
    assert finished.code == 0, finished.err
    made = {path.name for path in set(home.iterdir()) - before}
    assert made <= {"trained", "cache", "told.json"}, "nothing is written elsewhere"
    return home / "trained", finished
