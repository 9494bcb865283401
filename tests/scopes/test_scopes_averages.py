"""Moving averages, bit for bit TensorFlow's."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest

from pipeline import scopes

STEPS = 30


@pytest.fixture
def judge(tf: ModuleType) -> Iterator[ModuleType]:
    with tf.Graph().as_default():
        yield tf.compat.v1


def values(dtype: str) -> Any:
    random = np.random.RandomState(0)
    return random.normal(size=(STEPS, 4)).astype(dtype)


def judged(tf1: Any, dtype: str, decay: float, counted: bool) -> list[Any]:
    start, *rest = values(dtype)
    v = tf1.Variable(start, name="v")
    step = tf1.Variable(0, trainable=False, name="global_step")
    average = tf1.train.ExponentialMovingAverage(decay, step if counted else None)
    update = average.apply([v])
    new = tf1.placeholder(dtype, [4])
    seen = []
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        for number, value in enumerate(rest):
            session.run(tf1.assign(v, new), {new: value})
            session.run(tf1.assign(step, number))
            session.run(update)
            seen.append(session.run(average.average(v)))
    return seen


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("decay", [0.99, 0.5, 0.0])
def test_same_bits(dtype: str, counted: bool, decay: float, judge: ModuleType) -> None:
    start, *rest = values(dtype)
    found = []
    with scopes.VariableStore().as_default():
        v = scopes.Variable(start, name="v")
        step = scopes.Variable(0, trainable=False, name="global_step")
        average = scopes.ExponentialMovingAverage(decay, step if counted else None)
        update = average.apply([v])
        for number, value in enumerate(rest):
            v.assign(value)
            step.assign(number)
            update()
            found.append(average.average(v).read())
    np.testing.assert_array_equal(found, judged(judge, dtype, decay, counted))


def test_the_reference_value() -> None:
    """tf1_semantics.md H1: 0 → 10 at 0.99 is 0.099999905."""
    assert str(scopes.ema_update(np.float32(0.0), np.float32(10.0), 0.99)) == "0.099999905"


def test_the_decay_grows_with_the_updates() -> None:
    assert scopes.ema_decay(0.99, None) == np.float32(0.99)
    assert scopes.ema_decay(0.99, 0) == np.float32(0.1)
    assert scopes.ema_decay(0.99, 10**6) == np.float32(0.99)
    assert jax.jit(scopes.ema_decay)(0.99, 8) == 0.5


def test_shadows_inside_the_pure_form() -> None:
    def averaging(x: Any) -> Any:
        v = scopes.get_variable("v", [2])
        average = scopes.ExponentialMovingAverage(0.9)
        update = average.apply([v])
        v.assign(v.read() + x)
        update()
        return average.average(v).read()

    scoped = scopes.transform(averaging)
    start = scoped.init(0, 1.0).values()
    assert list(start) == ["v", "v/ExponentialMovingAverage"]
    np.testing.assert_array_equal(start["v"], start["v/ExponentialMovingAverage"])
    result, updates = jax.jit(scoped.apply)(start, 1.0)
    np.testing.assert_allclose(result, start["v"] + 0.1, rtol=1e-5)
    assert sorted(updates) == ["v", "v/ExponentialMovingAverage"]


def test_one_average_object_in_two_stores() -> None:
    average = scopes.ExponentialMovingAverage(0.9)
    for seed in range(2):
        with scopes.VariableStore(seed).as_default() as store:
            v = scopes.get_variable("v", [2])
            assert average.average(v) is None
            average.apply([v])
            assert average.average(v) is store["v/ExponentialMovingAverage"]
