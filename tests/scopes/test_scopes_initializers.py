"""Initial values against TensorFlow's: the same distributions, from different random numbers."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pipeline import scopes
from pipeline.scopes import ScopeError

# name: (ours, how TensorFlow's `compat.v1.initializers` makes it)
CASES: dict[str, tuple[Any, Any]] = {
    "truncated_normal": (scopes.truncated_normal_initializer(0.5, 0.1),
                         lambda i: i.truncated_normal(0.5, 0.1)),
    "random_normal": (scopes.random_normal_initializer(0.5, 0.1),
                      lambda i: i.random_normal(0.5, 0.1)),
    "random_uniform": (scopes.random_uniform_initializer(-0.2, 0.7),
                       lambda i: i.random_uniform(-0.2, 0.7)),
    "random_uniform_default": (scopes.random_uniform_initializer(),
                               lambda i: i.random_uniform(0.0, 1.0)),
    "glorot_uniform": (scopes.glorot_uniform_initializer(), lambda i: i.glorot_uniform()),
    "glorot_normal": (scopes.glorot_normal_initializer(), lambda i: i.glorot_normal()),
    "he_uniform": (scopes.he_uniform(), lambda i: i.he_uniform()),
    "he_normal": (scopes.he_normal(), lambda i: i.he_normal()),
    "fan_out": (scopes.variance_scaling_initializer(0.7, "fan_out", "uniform"),
                lambda i: i.variance_scaling(0.7, "fan_out", "uniform")),
    "untruncated": (scopes.variance_scaling_initializer(1.0, "fan_in", "untruncated_normal"),
                    lambda i: i.variance_scaling(1.0, "fan_in", "untruncated_normal")),
    "orthogonal": (scopes.orthogonal_initializer(1.5), lambda i: i.orthogonal(1.5)),
    "default": (None, lambda i: None),
}
SHAPES = [(120, 70), (5, 5, 6, 30)]


def judged(tf1: Any, initializer: Any, shape: tuple[int, ...]) -> Any:
    tf1.set_random_seed(3)
    variable = tf1.get_variable("v", shape, initializer=initializer)
    with tf1.Session() as session:
        session.run(variable.initializer)
        return session.run(variable)


def ours(initializer: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    with scopes.VariableStore(3).as_default():
        return scopes.get_variable("v", shape, dtype, initializer=initializer).read()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CASES)
def test_same_distribution(name: str, shape: tuple[int, ...], tf1_graph: ModuleType) -> None:
    initializer, make = CASES[name]
    theirs = judged(tf1_graph, make(tf1_graph.initializers), shape).ravel()
    found = np.asarray(ours(initializer, shape)).ravel()
    assert found.dtype == theirs.dtype
    assert stats.ks_2samp(found, theirs).pvalue > 1e-3
    np.testing.assert_allclose(found.mean(), theirs.mean(), atol=5 * theirs.std() / found.size**0.5)
    np.testing.assert_allclose(found.std(), theirs.std(), rtol=0.05)
    if name not in ("random_normal", "untruncated", "orthogonal"):  # the others have hard limits
        np.testing.assert_allclose(np.abs(found).max(), np.abs(theirs).max(), rtol=0.02)


@pytest.mark.parametrize("name", ["default", "he_normal", "glorot_uniform"])
@pytest.mark.parametrize("shape", [(4000,), (1, 4000), (4000, 1)])
def test_fans_of_vectors(name: str, shape: tuple[int, ...], tf1_graph: ModuleType) -> None:
    initializer, make = CASES[name]
    theirs = judged(tf1_graph, make(tf1_graph.initializers), shape)
    np.testing.assert_allclose(ours(initializer, shape).std(), theirs.std(), rtol=0.1)


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (2, 2, 3, 5), (2, 3, 20)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    matrix = np.asarray(ours(scopes.orthogonal_initializer(2.0), shape)).reshape(-1, shape[-1])
    short = matrix if matrix.shape[0] < matrix.shape[1] else matrix.T
    np.testing.assert_allclose(short @ short.T, 4.0 * np.eye(len(short)), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_half_precision_is_drawn_in_single_and_rounded(dtype: str) -> None:
    drawn = ours(scopes.truncated_normal_initializer(), (50, 50), dtype)
    assert drawn.dtype == dtype
    assert len(np.unique(np.asarray(drawn, np.float32))) > 100
    np.testing.assert_array_equal(
        drawn, ours(scopes.truncated_normal_initializer(), (50, 50)).astype(dtype))


def test_scalars_and_empty_arrays() -> None:
    assert ours(None, ()).shape == ()
    assert ours(None, (0, 3)).shape == (0, 3)
    assert ours(scopes.constant_initializer(3), (2,), "int32").tolist() == [3, 3]
    assert ours(scopes.constant_initializer([[1], [2]]), (2, 1)).tolist() == [[1.0], [2.0]]
    assert ours(scopes.random_uniform_initializer(0, 10), (100,), "int32").max() == 9


def test_initializers_of_jax_and_flax_fit() -> None:
    assert ours(jax.nn.initializers.lecun_normal(), (30, 20)).std() > 0.1
    assert ours(jax.nn.initializers.zeros, (3,)).tolist() == [0.0] * 3
    assert ours(lambda key, shape, dtype: jnp.full(shape, 2, dtype), (2,)).tolist() == [2.0, 2.0]


def test_xavier_is_glorot() -> None:
    assert scopes.xavier_initializer() == scopes.glorot_uniform_initializer()
    assert scopes.xavier_initializer(uniform=False) == scopes.glorot_normal_initializer()


def test_complex_numbers_need_an_initializer() -> None:
    with pytest.raises(ScopeError, match="An initializer for variable v of complex64 is required"):
        ours(None, (2,), "complex64")
    assert ours(scopes.zeros_initializer(), (2,), "complex64").dtype == "complex64"


@pytest.mark.parametrize(("ours_", "name"), [
    (scopes.l1_regularizer(0.3), "l1"), (scopes.l2_regularizer(0.3), "l2"),
    (scopes.l1_l2_regularizer(0.3, 0.2), "l1_l2"),
])
def test_penalties(ours_: Any, name: str, tf1_graph: ModuleType) -> None:
    weights = np.linspace(-2.0, 3.0, 20, dtype=np.float32)
    l1 = tf1_graph.reduce_sum(tf1_graph.abs(weights))
    l2 = tf1_graph.nn.l2_loss(weights)
    theirs = {"l1": 0.3 * l1, "l2": 0.3 * l2, "l1_l2": 0.3 * l1 + 0.2 * l2}[name]
    with tf1_graph.Session() as session:
        np.testing.assert_allclose(ours_(jnp.asarray(weights)), session.run(theirs), rtol=1e-6)
