"""Mutated inputs: every one ends with the right data or a `CheckpointError`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from checkpoint_cases import cases

HERE = Path(__file__).parent


def test_mutated_inputs() -> None:
    """In a process of its own, whose memory is limited; it says how to repeat a case."""
    out = subprocess.run([sys.executable, str(HERE / "checkpoint_fuzzer.py"), str(cases(5000))],
                         capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONPATH": str(HERE.parents[1])})
    assert out.returncode == 0, out.stdout + out.stderr
