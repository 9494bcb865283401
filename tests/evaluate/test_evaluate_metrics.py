"""Figures against plain counting, on every example exactly once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from configured import configured, digits

from pipeline import model
from pipeline.data import DataSet
from pipeline.evaluate import Evaluation, evaluate, metrics_record, score_logits


def random_logits(examples: int, classes: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, examples).astype(np.uint8)
    logits = random.normal(size=(examples, classes)).astype(np.float32) * 3
    logits[np.arange(examples), labels] += 2
    return logits, labels


def counted(logits: np.ndarray, labels: np.ndarray, classes: int) -> dict[str, object]:
    """The definitions, one example and one class at a time."""
    pairs = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        pairs.append((label, row.index(max(row))))
    confusion = [[pairs.count((true, found)) for found in range(classes)]
                 for true in range(classes)]
    scores = []
    for label in range(classes):
        right = sum(true == found == label for true, found in pairs)
        found_as = sum(found == label for _, found in pairs)
        truly = sum(true == label for true, _ in pairs)
        precision = right / found_as if found_as else 0.0
        recall = right / truly if truly else 0.0
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        scores.append((label, precision, recall, f1, truly))
    losses = [
        math.log(sum(math.exp(value - max(row)) for value in row)) - (row[label] - max(row))
        for row, label in zip(logits.tolist(), labels.tolist(), strict=True)
    ]
    accuracy = sum(true == found for true, found in pairs) / len(pairs)
    return {"confusion": confusion, "scores": scores, "accuracy": accuracy,
            "loss": math.fsum(losses) / len(losses)}


@pytest.mark.parametrize(("examples", "classes"), [(1, 10), (7, 2), (501, 10), (300, 40)])
def test_figures_are_what_counting_gives(examples: int, classes: int) -> None:
    logits, labels = random_logits(examples, classes)
    found, expected = score_logits(logits, labels), counted(logits, labels, classes)
    assert found.examples == examples
    assert found.confusion.tolist() == expected["confusion"]
    assert found.accuracy == pytest.approx(expected["accuracy"])
    assert found.loss == pytest.approx(expected["loss"], rel=1e-6)
    scores = [(s.label, s.precision, s.recall, s.f1, s.support) for s in found.per_class]
    for ours, theirs in zip(scores, expected["scores"], strict=True):  # type: ignore[call-overload]
        assert ours == pytest.approx(theirs)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, rtol=1e-6)
    assert found.probabilities.dtype == np.float32


def test_a_class_that_never_occurs_or_is_never_predicted_counts_as_zero() -> None:
    logits = np.eye(10, dtype=np.float32)[[0, 0, 1]]
    found = score_logits(logits, np.array([0, 2, 1], np.uint8))
    assert (found.per_class[2].precision, found.per_class[2].recall) == (0.0, 0.0)
    assert (found.per_class[9].precision, found.per_class[9].support) == (0.0, 0)
    assert found.per_class[0].precision == 0.5


def test_of_equal_logits_the_first_class_is_taken() -> None:
    found = score_logits(np.zeros((3, 10), np.float32), np.array([0, 5, 9], np.uint8))
    assert found.predictions.tolist() == [0, 0, 0]
    assert found.loss == pytest.approx(math.log(10))


def test_labels_above_15_do_not_overflow() -> None:
    """label · classes no longer fits uint8 beyond 25 · 10."""
    logits, labels = np.eye(40, dtype=np.float32), np.arange(40, dtype=np.uint8)
    assert np.array_equal(score_logits(logits, labels).confusion, np.eye(40))


def test_huge_logits_keep_a_finite_loss() -> None:
    logits = np.array([[3e38, -3e38], [-3e38, 3e38]], np.float32)
    found = score_logits(logits, np.array([0, 1], np.uint8))
    assert (found.accuracy, found.loss) == (1.0, 0.0)


def test_what_is_not_finite_is_never_right() -> None:
    """The true class is NaN or infinite in each example: nothing may be made of that."""
    labels = np.arange(10, dtype=np.uint8)
    logits = np.zeros((10, 10), np.float32)
    logits[:, 1] = 1.0
    logits[labels, labels] = np.nan
    found = score_logits(logits, labels)
    assert found.accuracy == 0.0
    assert math.isnan(found.loss)
    assert found.confusion.sum() == 10
    assert math.isnan(score_logits(np.full((3, 10), np.inf, np.float32), labels[:3]).loss)


@pytest.mark.parametrize("size", [1, 2, 63])
def test_every_example_counts_once_whatever_the_batch(size: int) -> None:
    """Predictions are made in padded batches of 500; none of the padding may be counted."""
    network = model.build(configured("model=softmax").model)
    variables = {name: value + 0.01 for name, value in network.init(0).items()}
    test = digits().test
    part = DataSet(test.pixels[:size], test.digits[:size], np.random.RandomState(0))
    found = evaluate(network, variables, part)
    assert found.examples == size == found.confusion.sum() == len(found.predictions)
    assert found.probabilities.shape == (size, 10)


@pytest.mark.parametrize("size", [499, 500, 501, 1001])
def test_sizes_around_the_batch(size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size, 28, 28), np.uint8)
    network = model.build(configured("model=softmax").model)
    weights = np.random.default_rng(1).normal(size=(784, 10)).astype(np.float32)
    variables = {"softmax/weights": weights, "softmax/biases": np.ones(10, np.float32)}
    expected = pixels.reshape(size, 784) / 255.0 @ weights.astype(np.float64) + 1
    found = model.predict_logits(network, variables, pixels)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_an_evaluation_does_not_drop_or_normalise_by_the_batch() -> None:
    scopes = {
        "bn": {"kind": "batch_norm"},
        "drop": {"kind": "dropout", "rate": 0.9},
        "out": {"kind": "dense", "units": 10},
    }
    network = model.build(configured(model={"input_shape": [784], "scopes": scopes}).model)
    variables = network.init(0)
    test = digits().test
    whole = evaluate(network, variables, test)
    first = DataSet(test.pixels[:1], test.digits[:1], np.random.RandomState(0))
    alone = evaluate(network, variables, first)
    np.testing.assert_array_equal(whole.probabilities[:1], alone.probabilities)


def test_the_record_is_plain_data() -> None:
    logits, labels = random_logits(20)
    evaluation: Evaluation = score_logits(logits, labels)
    record = metrics_record(evaluation, "test")
    assert record["test_accuracy"] == evaluation.accuracy
    assert record["test_loss"] == evaluation.loss
    assert record["test_examples"] == 20
    assert np.array(record["confusion"]).sum() == 20
    assert [score["label"] for score in record["per_class"]] == list(range(10))
    assert set(record["per_class"][0]) == {"label", "precision", "recall", "f1", "support"}
