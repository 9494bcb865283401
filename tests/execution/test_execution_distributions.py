"""Draws that follow TensorFlow's distribution and not its numbers: their moments agree."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from execution_judge import ours, run_in_tensorflow

from pipeline import execution

COUNT = 20_000
LOGITS = np.log(np.float32([[0.1, 0.2, 0.7]]))
DRAWS = {
    "gamma": lambda raw: raw.RandomGamma(shape=[COUNT], alpha=np.float32(1.7), seed=3),
    "poisson": lambda raw: raw.RandomPoissonV2(shape=[COUNT], rate=np.float32(2.5), seed=3),
    "classes": lambda raw: raw.Multinomial(logits=LOGITS, num_samples=COUNT, seed=3),
    "stateless classes": lambda raw: raw.StatelessMultinomial(
        logits=LOGITS, num_samples=COUNT, seed=[1, 2]),
}


@pytest.mark.parametrize("name", DRAWS)
def test_moments_are_those_of_tensorflow(tf: ModuleType, name: str) -> None:
    with tf.Graph().as_default() as graph:
        tensor = DRAWS[name](tf.raw_ops).name
        graph_def = graph.as_graph_def()
    (expected,) = run_in_tensorflow(tf.compat.v1, graph_def, [tensor], {})
    f = execution.function(ours(graph_def), [], [tensor])
    found, other = (np.asarray(f(key=key)[0], np.float64) for key in (None, jax.random.key(1)))
    assert found.shape == expected.shape
    for power in (1, 2, 3):
        right = expected.astype(np.float64) ** power
        allowed = 6 * right.std() / np.sqrt(COUNT)
        assert abs((found**power).mean() - right.mean()) < allowed, power
    if "stateless" not in name:
        assert (found != other).any()


def test_a_shuffle_has_the_same_rows_in_any_order(tf: ModuleType) -> None:
    rows = np.arange(40, dtype=np.float32).reshape(20, 2)
    with tf.Graph().as_default() as graph:
        tensor = tf.raw_ops.RandomShuffle(value=rows, seed=5).name
        graph_def = ours(graph.as_graph_def())
    f = execution.function(graph_def, [], [tensor])
    orders: list[Any] = [np.asarray(f(key=jax.random.key(seed))[0]) for seed in range(200)]
    assert all(sorted(map(tuple, order)) == sorted(map(tuple, rows)) for order in orders)
    firsts = [int(order[0, 0]) // 2 for order in orders]
    assert len(set(firsts)) > 15    # every row comes first about ten times in 200
