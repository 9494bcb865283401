"""Sweeps made up on disk: what their jobs leave, without training anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from configured import composed

from pipeline.gate import Ending, ExitCode
from pipeline.sweep import outcome
from pipeline.sweep.outcome import Outcome

NOW = datetime(2026, 11, 23, 3, 17, tzinfo=UTC)


def metrics(accuracy: float | None, **changes: Any) -> dict[str, Any]:
    """A run's record; None for an accuracy that was not finite."""
    return {
        "schema_version": 1, "name": "run", "seed": 0, "config_hash": "c0ffee",
        "git": {"revision": "0123456789ab", "dirty": False}, "device": "cpu:0",
        "versions": {"python": "3.11"}, "command": "python run.py", "durations": {"train": 2.0},
        "validation_accuracy": accuracy, "validation_loss": 0.1, "test_accuracy": 0.9,
        "test_loss": 0.3, "step": 26, "artifacts": [], "parity": [],
        "variables": [{"name": "w", "shape": [2], "dtype": "float32", "trainable": True}],
        "history": [
            {"step": step, "epoch": 1.0, "loss": 1.0 / step, "accuracy": 0.8,
             "learning_rate": 0.1, "examples_per_second": 100.0, "validation_loss": 0.2,
             "validation_accuracy": accuracy} for step in (13, 26)],
        **changes,
    }


def leave(
    directory: Path, number: int | None, overrides: list[str], *, seed: int = 0,
    accuracy: float | None = 0.9, code: ExitCode = ExitCode.PASSED, error: str = "",
    seconds: float = 5.0, config: list[str] = [],  # noqa: B006  never changed
) -> Path:
    """One run's files."""
    record = directory / ".hydra"
    record.mkdir(parents=True)
    (record / "config.yaml").write_text(yaml.safe_dump(composed(*config, f"seed={seed}")))
    (record / "overrides.yaml").write_text(yaml.safe_dump(overrides))
    if code in (ExitCode.PASSED, ExitCode.GATE_FAILED):
        (directory / "metrics.json").write_text(json.dumps(metrics(accuracy, seed=seed)))
    started = NOW + timedelta(seconds=10 * (number or 0))
    ending = Ending(code, started, seconds, error, f"Traceback\n{error}" if error else "")
    outcome.save(Outcome(ending, number, seed, tuple(overrides)), directory)
    return directory
