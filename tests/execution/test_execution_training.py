"""TF1 training graphs: initialized, run and trained here as in a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from execution_judge import ours, relative_error

from pipeline import execution

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, 8)

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "GradientDescent": lambda t: t.GradientDescentOptimizer(0.1),
    "Momentum": lambda t: t.MomentumOptimizer(0.1, 0.9),
    "Nesterov": lambda t: t.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "Adam": lambda t: t.AdamOptimizer(0.01),
    "Adagrad": lambda t: t.AdagradOptimizer(0.1),
    "Adadelta": lambda t: t.AdadeltaOptimizer(0.1),
    "RMSProp": lambda t: t.RMSPropOptimizer(0.01, momentum=0.5),
    "CenteredRMSProp": lambda t: t.RMSPropOptimizer(0.01, momentum=0.5, centered=True),
    "Ftrl": lambda t: t.FtrlOptimizer(0.1, l1_regularization_strength=0.01,
                                      l2_regularization_strength=0.1),
    "ProximalGradientDescent": lambda t: t.ProximalGradientDescentOptimizer(0.1, 0.01, 0.1),
}


def build(tf1: ModuleType, optimizer: Any, resource: bool) -> Any:
    """A small classifier with a decayed rate, moving averages and a regularizer."""
    x = tf1.placeholder(tf1.float32, [None, 5], name="x")
    labels = tf1.placeholder(tf1.int64, [None], name="labels")
    init = tf1.truncated_normal_initializer(stddev=0.5, seed=1)
    with tf1.variable_scope("net", use_resource=resource):
        weights = tf1.get_variable("weights", [5, 3], initializer=init)
        biases = tf1.get_variable("biases", [3], initializer=tf1.zeros_initializer())
    logits = tf1.nn.elu(x @ weights + biases)
    loss = tf1.reduce_mean(tf1.nn.sparse_softmax_cross_entropy_with_logits(
        labels=labels, logits=logits)) + 0.01 * tf1.nn.l2_loss(weights)
    step = tf1.train.get_or_create_global_step()
    update = optimizer.minimize(loss, global_step=step)
    averages = tf1.train.ExponentialMovingAverage(0.9, step)
    with tf1.control_dependencies([update]):
        train = tf1.group(averages.apply([weights, biases]), name="train")
    tf1.identity(loss, name="loss")
    tf1.global_variables_initializer()
    return train


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_training_goes_as_in_a_session(
    tf1_graph: ModuleType, tmp_path: Path, name: str, resource: bool
) -> None:
    tf1 = tf1_graph
    tf1.disable_control_flow_v2()   # as when there were variables by reference
    train = build(tf1, OPTIMIZERS[name](tf1.train), resource)
    saver = tf1.train.Saver()
    with tf1.Session() as session:
        session.run(tf1.get_default_graph().get_operation_by_name("init"))
        prefix = saver.save(session, str(tmp_path / "model.ckpt"))
        for _ in range(3):
            _, loss = session.run([train, "loss:0"], {"x:0": X, "labels:0": LABELS})
        expected = {each.op.name: session.run(each) for each in tf1.global_variables()}

    imported = execution.import_meta_graph(f"{prefix}.meta")
    imported.run("init")
    assert imported.saver is not None
    initialized = dict(imported.values)
    imported.saver.restore(prefix)
    for key, value in initialized.items():
        assert relative_error(imported.values[key], value) <= 1e-6, f"{key} after init"
    for _ in range(3):
        _, found = imported.run(["train", "loss:0"], {"x:0": X, "labels:0": LABELS})
    assert relative_error(found, loss) <= 1e-4
    for key, value in expected.items():
        assert relative_error(imported.values[key], value) <= 1e-4, key


def test_batch_norm_updates_its_averages(tf1_graph: ModuleType, tmp_path: Path) -> None:
    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [None, 4, 4, 3], name="x")
    training = tf1.placeholder_with_default(False, [], name="training")
    scale, offset = (tf1.get_variable(n, [3], initializer=tf1.ones_initializer(),
                                      use_resource=False) for n in ("gamma", "beta"))
    mean, variance = (tf1.get_variable(n, [3], trainable=False, use_resource=False,
                                       initializer=tf1.ones_initializer())
                      for n in ("moving_mean", "moving_variance"))
    y, batch_mean, batch_variance = tf1.cond(
        training, lambda: tf1.nn.fused_batch_norm(x, scale, offset, is_training=True),
        lambda: tf1.nn.fused_batch_norm(x, scale, offset, mean, variance, is_training=False))
    updates = [tf1.assign_sub(a, (a - b) * 0.1) for a, b in ((mean, batch_mean),
                                                             (variance, batch_variance))]
    with tf1.control_dependencies(updates):
        tf1.identity(y, name="y")
    saver = tf1.train.Saver()
    pictures = RNG.normal(size=(5, 4, 4, 3)).astype(np.float32)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        prefix = saver.save(session, str(tmp_path / "model.ckpt"))
        expected = session.run("y:0", {"x:0": pictures, "training:0": True})
        after = session.run([mean, variance])
    imported = execution.import_meta_graph(f"{prefix}.meta")
    assert imported.saver is not None
    imported.saver.restore(prefix)
    found = imported.run("y:0", {"x:0": pictures, "training:0": True})
    assert relative_error(found, expected) <= 1e-5
    assert relative_error(imported.values["moving_mean"], after[0]) <= 1e-5
    assert relative_error(imported.values["moving_variance"], after[1]) <= 1e-5
    assert not imported.function(["x"], ["y"], given={"training": False}).static_inputs


def test_dropout_draws_tensorflows_numbers(tf1_graph: ModuleType) -> None:
    import jax

    tf1 = tf1_graph
    x = tf1.placeholder(tf1.float32, [None, 50], name="x")
    tf1.nn.dropout(x, rate=0.4, seed=7, name="dropped")
    name = [each.name for each in tf1.get_default_graph().get_operations()][-1]
    ones = np.ones((20, 50), np.float32)
    with tf1.Session() as session:
        expected = session.run(f"{name}:0", {"x:0": ones})
    f = execution.function(ours(tf1.get_default_graph().as_graph_def()), ["x"], [name])
    np.testing.assert_array_equal(f(ones)[0], expected)
    keyed = [f(ones, key=jax.random.key(seed))[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(keyed[0], keyed[1])
    assert (keyed[0] != keyed[2]).any()
    assert 0.5 < float((keyed[0] > 0).mean()) < 0.7
