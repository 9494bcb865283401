"""An evaluation as `metrics.json` keeps it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipeline.evaluate.metrics import Evaluation

SCHEMA_VERSION = 1


def metrics_record(evaluation: Evaluation, split: str) -> dict[str, Any]:
    """Plain JSON data: `<split>_accuracy`, `<split>_loss`, per-class scores, confusion matrix."""
    return {
        "schema_version": SCHEMA_VERSION,
        f"{split}_accuracy": evaluation.accuracy,
        f"{split}_loss": evaluation.loss,
        f"{split}_examples": evaluation.examples,
        "per_class": [asdict(score) for score in evaluation.per_class],
        "confusion": evaluation.confusion.tolist(),
    }
