"""A finished run to report on, made up: the shapes are real, nothing was trained."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.evaluate import ClassScore, Evaluation
from pipeline.persistence import Artifact, File
from pipeline.report import Report, VariableRow
from pipeline.train import Interval
from pipeline.verification import Parity

RUN = Path("/outputs/2026-11-23/08-01-12")
CONFIG = "task:\n  name: train\noptimizer:\n  learning_rate: 0.8\nnotes: 'two words'\n"


def history(intervals: int, **changes: Any) -> list[Interval]:
    """Falling loss, rising accuracy; validated at every second interval."""
    return [
        Interval(**{
            "step": 100 * k, "epoch": k / 2, "loss": 0.05 + 2 * math.exp(-k / 3),
            "accuracy": 1 - 0.4 * math.exp(-k / 3), "learning_rate": 0.8 * 0.99**k,
            "examples_per_second": 60_000.0 + 100 * (k % 7),
            "validation_loss": None if k % 2 else 0.1 + 2 * math.exp(-k / 3),
            "validation_accuracy": None if k % 2 else 0.98 - 0.4 * math.exp(-k / 3), **changes})
        for k in range(1, intervals + 1)
    ]


def split(examples: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [n, 28, 28] and digits [n]; every picture is different."""
    random = np.random.default_rng(0)
    digits = (np.arange(examples) % 10).astype(np.uint8)
    return random.integers(0, 256, [examples, 28, 28], np.uint8), digits


def evaluation(digits: np.ndarray, wrong: int) -> Evaluation:
    """The first `wrong` examples are misclassified, the first of them worst."""
    n = len(digits)
    predictions = digits.copy()
    predictions[:wrong] = (digits[:wrong] + 1) % 10
    truth = np.where(np.arange(n) < wrong, 0.01 + 0.4 * np.arange(n) / n, 0.9)
    probabilities = np.zeros([n, 10], np.float32)
    probabilities[np.arange(n), (digits + 1) % 10] = 1 - truth
    probabilities[np.arange(n), digits] = truth
    confusion = np.zeros([10, 10], np.int64)
    np.add.at(confusion, (digits, predictions), 1)
    scores = [ClassScore(k, 0.9 + k / 200, 0.95 - k / 200, 0.92, int((digits == k).sum()))
              for k in range(10)]
    return Evaluation(n, (n - wrong) / n, 0.0634, confusion, scores, predictions, probabilities)


def file(name: str, octets: int) -> File:
    return File(Path(name), octets, hashlib.sha256(name.encode()).hexdigest())


def graph() -> Any:
    """A Placeholder, two constants of which one is large, and a MatMul."""
    graph_def = GraphDef()
    graph_def.node.add(name="input", op="Placeholder").attr["dtype"].type = 1
    for name, rows in (("layer1/weights", 784), ("small", 2)):
        node = graph_def.node.add(name=name, op="Const")
        node.attr["dtype"].type = 1
        tensor = node.attr["value"].tensor
        tensor.dtype, tensor.tensor_content = 1, bytes(rows * 500 * 4 if rows > 2 else 8)
        for size in (rows, 500) if rows > 2 else (2,):
            tensor.tensor_shape.dim.add(size=size)
    product = graph_def.node.add(name="layer1/MatMul", op="MatMul")
    product.input.extend(["input", "layer1/weights"])
    product.attr["T"].type = 1
    return graph_def


def finished_run(*, wrong: int = 60, **changes: Any) -> Report:
    """A run with everything in it, or with the given fields instead."""
    pixels, digits = split(500)
    artifacts = [
        Artifact("tf_checkpoint", "tf_checkpoint", RUN / "model.ckpt-1200", (
            file("model.ckpt-1200.index", 412),
            file("model.ckpt-1200.data-00000-of-00001", 3_180_080), file("checkpoint", 77))),
        Artifact("frozen_graph", "frozen_graph", RUN / "frozen_graph.pb",
                 (file("frozen_graph.pb", 1_591_304),)),
    ]
    report = Report(
        name="08-01-12", started=datetime(2026, 11, 23, 8, 1, 12, tzinfo=UTC), config_yaml=CONFIG,
        durations={"data": 0.61, "model": 0.042, "train": 48.3, "evaluate": 0.7},
        environment={"command": "python run.py dataset=mnist", "seed": "0", "device": "cpu"},
        variables=[
            VariableRow(name="layer1/weights", shape=(784, 500), dtype="float32", count=392_000,
                        trainable=True, collections=("variables", "trainable_variables")),
            VariableRow(name="layer1/biases", shape=(500,), dtype="float32", count=500,
                        trainable=True, collections=("variables", "trainable_variables")),
            VariableRow(name="norm/moving_mean", shape=(500,), dtype="float32", count=500,
                        trainable=False, collections=("variables",)),
            VariableRow(name="scale", shape=(), dtype="float32", count=1, trainable=True),
        ],
        history=history(12), evaluation=evaluation(digits, wrong), pixels=pixels, digits=digits,
        artifacts=artifacts,
        parities=[Parity("tf_checkpoint", 0.0, 0.0, True, ""),
                  Parity("frozen_graph", 1.1920929e-07, 3.4e-06, True, "256 examples")],
        graph_def=graph(), data="digits", stopped="all steps done",
    )
    return dataclasses.replace(report, **changes)
