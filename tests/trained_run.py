"""A run that was trained once for all tests that look at one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from configured import ROOT

# Turned and sheared, so that it knows digits that are drawn by mouse.
WORDS = ("model.scopes.layer1.units=200", "optimizer.learning_rate=0.002", "trainer.epochs=20",
         "trainer.augmentation={shift:1,rotate:12,scale:0.1,shear:8}", "persistence=all")


def trained_run(base: Path) -> Path:
    """The directory of a small MLP's run on the embedded digits, under `base`; made when asked."""
    directory = base / "trained-run"
    if not directory.exists():
        finished = subprocess.run(
            [sys.executable, "run.py", f"hydra.run.dir={directory}", *WORDS], cwd=ROOT,
            capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
    return directory
