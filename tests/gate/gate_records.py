"""A run's record as `metrics.json` holds it, made up."""

from __future__ import annotations

from typing import Any


def record(**changes: Any) -> dict[str, Any]:
    """A sound run; `changes` replace whole keys."""
    return {
        "schema_version": 1,
        "name": "run",
        "git": {"revision": "0123456789ab", "dirty": False},
        "seed": 0,
        "config_hash": "c0ffee",
        "device": "cpu:0",
        "versions": {"python": "3.11"},
        "command": "python run.py",
        "durations": {"data": 0.1, "train": 12.5},
        "test_accuracy": 0.98,
        "test_loss": 0.07,
        "step": 2750,
        "per_class": [{"label": 0, "recall": 0.99}, {"label": 1, "recall": 0.97}],
        "variables": [
            {"name": "layer1/weights", "shape": [784, 500], "dtype": "float32", "trainable": True},
            {"name": "step", "shape": [], "dtype": "int32", "trainable": False},
        ],
        "artifacts": [{"target": "frozen_graph", "kind": "frozen_graph", "path": "g.pb",
                       "bytes": 1_590_000}],
        "parity": [{"artifact": "frozen_graph", "agrees": True, "max_absolute": 1e-7,
                    "detail": "256 examples"}],
        **changes,
    }
