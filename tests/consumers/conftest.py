"""What judges are given; the modules of `tests`, its `lowering` and `report` can be imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parent / "lowering", HERE.parent / "report"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from exports import Exports  # noqa: E402
from trained_run import trained_run  # noqa: E402


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """Written once for all judges."""
    run_directory = trained_run(tmp_path_factory.getbasetemp())
    return Exports(tmp_path_factory.mktemp("exports"), run_directory)
