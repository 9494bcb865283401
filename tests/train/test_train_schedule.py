"""Learning rates against TensorFlow's `exponential_decay` and against the cosine's formula."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest

from pipeline.config.schedules import Schedule
from pipeline.config.schedules.constant import Constant
from pipeline.config.schedules.cosine import Cosine
from pipeline.config.schedules.exponential_decay import ExponentialDecay
from pipeline.config.schedules.polynomial import Polynomial
from pipeline.train import exponential_decay

STEPS = [0, 1, 2, 7, 274, 275, 549, 550, 551, 1100, 29_999]


def rates(config: Schedule, learning_rate: float, total: int, steps: list[int]) -> np.ndarray:
    schedule = config.build(learning_rate, total)
    return np.array([schedule(np.int32(step)) for step in steps], np.float32)


@pytest.mark.parametrize("staircase", [False, True])
@pytest.mark.parametrize(("decay_steps", "decay_rate"), [(550, 0.99), (1, 0.5), (7, 0.1), (3, 1.5)])
def test_exponential_decay_is_tensorflow_s(
    tf1_graph: ModuleType, staircase: bool, decay_steps: int, decay_rate: float
) -> None:
    step = tf1_graph.placeholder("int32", [])
    theirs = tf1_graph.train.exponential_decay(0.8, step, decay_steps, decay_rate, staircase)
    with tf1_graph.Session() as session:
        expected = [session.run(theirs, {step: value}) for value in STEPS]
    config = ExponentialDecay(
        name="exponential_decay", decay_steps=decay_steps, decay_rate=decay_rate,
        staircase=staircase,
    )
    # Both compute `rate ** exponent` in float32; the powers may round differently in the last bits.
    np.testing.assert_allclose(rates(config, 0.8, 30_000, STEPS), expected, rtol=2e-5, atol=1e-37)


def test_the_measured_anchor() -> None:
    """Row H4 of the measured semantics: step 275 of `exponential_decay(.8, s, 550, .99)`."""
    assert float(exponential_decay(0.8, 550, 0.99)(275)) == pytest.approx(0.79599, abs=5e-6)
    assert float(exponential_decay(0.8, 550, 0.99, staircase=True)(275)) == pytest.approx(0.8)
    assert float(exponential_decay(0.8, 550, 0.99, staircase=True)(550)) == pytest.approx(0.792)


def test_constant() -> None:
    assert set(rates(Constant(name="constant"), 0.25, 10, STEPS)) == {np.float32(0.25)}


def cosine(step: int, peak: float, warmup: int, decay: int, end_factor: float) -> float:
    if step < warmup:
        return peak * step / warmup
    done = min((step - warmup) / (decay - warmup), 1.0)
    return peak * (end_factor + (1 - end_factor) * 0.5 * (1 + math.cos(math.pi * done)))


@pytest.mark.parametrize("end_factor", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("warmup", [0, 1, 10])
@pytest.mark.parametrize("decay_steps", [None, 40])
def test_cosine_is_its_formula(warmup: int, end_factor: float, decay_steps: int | None) -> None:
    config = Cosine(
        name="cosine", warmup_steps=warmup, end_factor=end_factor, decay_steps=decay_steps
    )
    steps = [0, 1, 5, 9, 10, 11, 39, 40, 41, 99, 100, 150]
    expected = [cosine(step, 0.5, warmup, decay_steps or 100, end_factor) for step in steps]
    np.testing.assert_allclose(rates(config, 0.5, 100, steps), expected, rtol=1e-5, atol=1e-7)


def test_a_warm_up_as_long_as_the_run_still_is_a_schedule() -> None:
    config = Cosine(name="cosine", warmup_steps=100)
    found = rates(config, 0.5, 100, [0, 50, 99, 100])
    np.testing.assert_allclose(found, [0.0, 0.25, 0.495, 0.5], rtol=1e-5)


@pytest.mark.parametrize("power", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("decay_steps", [None, 7])
def test_polynomial_is_tensorflow_s(
    tf1_graph: ModuleType, power: float, decay_steps: int | None
) -> None:
    step = tf1_graph.placeholder("int32", [])
    theirs = tf1_graph.train.polynomial_decay(0.8, step, decay_steps or 500, 0.08, power)
    with tf1_graph.Session() as session:
        expected = [session.run(theirs, {step: value}) for value in STEPS]
    config = Polynomial(name="polynomial", decay_steps=decay_steps, power=power, end_factor=0.1)
    np.testing.assert_allclose(rates(config, 0.8, 500, STEPS), expected, rtol=1e-5)
