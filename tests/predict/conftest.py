"""The run that these tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from trained_run import trained_run


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_run(tmp_path_factory.getbasetemp())
