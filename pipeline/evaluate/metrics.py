"""Accuracy, loss, the confusion matrix, and precision and recall by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.data import DataSet
from pipeline.data.dataset import Labels
from pipeline.model import Network, Variables, predict_logits


@dataclass(frozen=True)
class ClassScore:
    """One class; a ratio whose denominator is zero counts as 0."""

    label: int
    precision: float
    recall: float
    f1: float
    support: int                       # examples that are truly of this class


@dataclass(frozen=True)
class Evaluation:
    """A model on one split."""

    examples: int
    accuracy: float
    loss: float                        # mean cross-entropy, nats
    confusion: NDArray[np.int64]       # [classes, classes]; rows: true class, columns: predicted
    per_class: list[ClassScore]
    predictions: Labels                # [examples]
    probabilities: NDArray[np.float32] # [examples, classes]


def evaluate(network: Network, variables: Variables, split: DataSet) -> Evaluation:
    """The model in inference form on every example of `split`, each counted once."""
    return score_logits(predict_logits(network, variables, split.pixels), split.digits)


def score_logits(logits: NDArray[np.float32], labels: Labels) -> Evaluation:
    """The figures of given logits float [n, classes] against labels [n], in float64 throughout.

    Where logits are not finite the loss is not either, and NaN is never what a model predicts.
    """
    examples, classes = logits.shape
    log_probabilities = log_softmax(logits)
    # NumPy's argmax would take NaN for the largest, and right answers would be made of it.
    best = np.where(np.isnan(logits), -np.inf, logits).argmax(axis=1)
    predictions = best.astype(np.uint8 if classes <= 256 else np.int32)
    confusion = np.bincount(
        labels.astype(np.int64) * classes + predictions, minlength=classes * classes
    ).reshape(classes, classes)
    return Evaluation(
        examples=examples,
        accuracy=float((predictions == labels).mean()),
        loss=float(-log_probabilities[np.arange(examples), labels].mean()),
        confusion=confusion,
        per_class=[_score(confusion, label) for label in range(classes)],
        predictions=predictions,
        probabilities=np.exp(log_probabilities).astype(np.float32),
    )


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The logarithm of each class's probability, [n, classes]; a row with NaN or ∞ is all NaN."""
    with np.errstate(invalid="ignore"):
        shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
        log_probabilities: NDArray[np.float64] = shifted - np.log(
            np.exp(shifted).sum(axis=1, keepdims=True))
    return log_probabilities


def _score(confusion: NDArray[np.int64], label: int) -> ClassScore:
    hits, support = int(confusion[label, label]), int(confusion[label].sum())
    predicted = int(confusion[:, label].sum())
    precision = hits / predicted if predicted else 0.0
    recall = hits / support if support else 0.0
    f1 = 2 * hits / (predicted + support) if hits else 0.0
    return ClassScore(label, precision, recall, f1, support)
