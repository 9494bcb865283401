"""Fine-tuning: constants and variables of an imported graph become trainable by name."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from execution_judge import ours, relative_error, run_in_tensorflow

from pipeline import execution

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture
def frozen(tf1_graph: ModuleType) -> Any:
    """Two layers as constants, with what a wildcard must leave alone."""
    tf1, rng = tf1_graph, np.random.default_rng(1)
    x = tf1.placeholder(tf1.float32, [None, 4], name="input")
    for layer, size in (("layer1", 5), ("layer2", 3)):
        weights = rng.normal(size=(int(x.shape[1]), size)).astype(np.float32)
        weights = tf1.constant(weights, name=f"{layer}/weights")
        biases = tf1.constant(np.zeros(size, np.float32), name=f"{layer}/biases")
        rate = tf1.constant(0.5, name=f"{layer}/keep_prob")
        mean = tf1.constant(np.ones(size, np.float32), name=f"{layer}/moving_mean")
        x = tf1.tanh(x @ tf1.identity(weights) + biases - mean * rate, name=f"{layer}/out")
    return ours(tf1.get_default_graph().as_graph_def())


def test_patterns_choose_weights_and_leave_the_rest(frozen: Any) -> None:
    imported = execution.import_graph_def(frozen, name="")
    assert list(imported.trainable("layer2/*")) == ["layer2/weights", "layer2/biases"]
    assert list(imported.trainable("layer1/keep_prob")) == ["layer1/keep_prob"]
    assert len(imported.trainable("*")) == 4
    with pytest.raises(execution.ExecutionError, match="nothing to train is named 'layer3/"):
        imported.trainable("layer3/*")


def test_training_changes_only_what_was_chosen(tf1_graph: ModuleType, frozen: Any) -> None:
    imported = execution.import_graph_def(frozen, name="")
    variables = imported.trainable("layer2/*")
    f = imported.function(["input"], ["layer2/out"], trainable=variables)
    labels = jnp.asarray(np.random.default_rng(2).uniform(-1, 0, (6, 3)), jnp.float32)

    def loss(variables: Any) -> Any:
        return jnp.square(f(variables, X)[0] - labels).mean()

    begin = loss(variables)
    for _ in range(30):
        gradient = jax.grad(loss)(variables)
        variables = {name: value - 0.3 * gradient[name] for name, value in variables.items()}
    assert loss(variables) < begin / 2

    trained = imported.as_graph_def(variables)
    assert [node.name for node in trained.node] == [node.name for node in frozen.node]
    changed = [new.name for new, old in zip(trained.node, frozen.node, strict=True) if new != old]
    assert sorted(changed) == ["layer2/biases", "layer2/weights"]
    expected = run_in_tensorflow(tf1_graph, trained, ["layer2/out"], {"input": X})[0]
    assert relative_error(f(variables, X)[0], expected) <= 1e-5
    with pytest.raises(execution.ExecutionError, match=r"layer2/biases: value has shape \(4,\)"):
        imported.as_graph_def({"layer2/biases": np.zeros(4, np.float32)})
    with pytest.raises(execution.ExecutionError, match=r"no constant or variable.*: layer2/bias$"):
        imported.as_graph_def({"layer2/bias": np.zeros(3, np.float32)})
    for cut in (imported.function, partial(execution.function, frozen)):
        with pytest.raises(execution.ExecutionError, match=r"inputs: .*expected names, \['input'"):
            cut("input", ["layer2/out"])


def test_variables_are_chosen_by_their_collection(tf1_graph: ModuleType) -> None:
    tf1 = tf1_graph
    for name, trainable in (("net/weights", True), ("net/counter", False)):
        tf1.get_variable(name, [2], trainable=trainable, use_resource=False)
    meta_graph = tf1.train.export_meta_graph(saver_def=tf1.train.Saver().as_saver_def())
    from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

    imported = execution.import_meta_graph(MetaGraphDef.FromString(meta_graph.SerializeToString()))
    with pytest.raises(execution.ExecutionError, match="net/weights: no value yet"):
        imported.trainable("net/*")
    imported.values |= {"net/weights": np.ones(2, np.float32), "net/counter": np.zeros(2)}
    assert list(imported.trainable("net/*")) == ["net/weights"]
    assert list(imported.trainable("net/counter")) == ["net/counter"]
