"""TensorFlow 1 takes over our training from a checkpoint, and we take over its."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from configured import digits
from persisted_cases import Persisted, recipe

from pipeline import model, persistence
from pipeline.data import BatchIndices
from pipeline.train import fit

Runs = Callable[[str], Persisted]
SIZES = {"layer1": (784, 6), "layer2": (6, 10)}


class Program:
    """The mlp as someone would have written it in TensorFlow 1, with its Saver."""

    def __init__(self, tf1: ModuleType, optimizer: str, resource: bool) -> None:
        self.images = tf1.placeholder("float32", [None, 784])
        self.labels = tf1.placeholder("int32", [None])
        activation = self.images
        with tf1.variable_scope("", use_resource=resource):
            for scope, shape in SIZES.items():
                with tf1.variable_scope(scope):
                    weights = tf1.get_variable("weights", shape)
                    biases = tf1.get_variable("biases", shape[1:])
                    activation = tf1.matmul(activation, weights) + biases
                    if scope == "layer1":
                        activation = tf1.nn.relu(activation)
            self.logits = activation
            step = tf1.train.get_or_create_global_step()
            loss = tf1.reduce_mean(tf1.nn.sparse_softmax_cross_entropy_with_logits(
                labels=self.labels, logits=self.logits
            ))
            self.update = self._update(tf1, optimizer, loss, step)
            self.average: Any = None
            if optimizer == "adam":
                self.updates = tf1.placeholder("int64", [])
                average = tf1.train.ExponentialMovingAverage(0.9, self.updates)
                self.average = average.apply(tf1.trainable_variables())
        self.step = step
        self.saver = tf1.train.Saver()
        self.session = tf1.Session()

    def _update(self, tf1: ModuleType, optimizer: str, loss: Any, step: Any) -> Any:
        if optimizer == "momentum":
            made = tf1.train.MomentumOptimizer(0.01, 0.9)
            gradients, variables = zip(*made.compute_gradients(loss), strict=True)
            clipped, _ = tf1.clip_by_global_norm(gradients, 1.0)
            return made.apply_gradients(zip(clipped, variables, strict=True), global_step=step)
        if optimizer == "sgd":
            return tf1.train.GradientDescentOptimizer(0.01).minimize(loss, global_step=step)
        return tf1.train.AdamOptimizer(0.01, epsilon=1e-12).minimize(loss, global_step=step)

    def train(self, batches: np.ndarray) -> None:
        train = digits().train
        images = train.pixels.reshape(-1, 784) * np.float32(1 / 255)
        for batch in batches:
            before = self.session.run(self.step)
            fed = {self.images: images[batch], self.labels: train.digits[batch]}
            self.session.run(self.update, fed)
            if self.average is not None:    # after the update: in one run TF1 leaves it to chance
                self.session.run(self.average, {self.updates: before})

    def values(self, tf1: ModuleType) -> dict[str, np.ndarray]:
        return {v.op.name: self.session.run(v) for v in tf1.global_variables()}


def batches_after(run: Persisted, steps: int) -> np.ndarray:
    """What the next steps of our own training would see."""
    assert run.trained.snapshot is not None
    stream = BatchIndices(digits().train.num_examples, np.random.RandomState(0))
    stream.restore(run.trained.snapshot.batches)
    return stream.take(steps, 20)


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "momentum", "sgd"])
def test_a_tensorflow_program_restores_everything_and_trains_on_as_we_do(
    tf1_graph: ModuleType, persisted: Runs, tmp_path: Path, optimizer: str, resource: bool
) -> None:
    run = persisted(optimizer)
    prefix = str(run.artifacts["tf_checkpoint"].path)
    program = Program(tf1_graph, optimizer, resource)
    program.saver.restore(program.session, prefix)
    restored = program.values(tf1_graph)
    stored = dict(tf1_graph.train.list_variables(prefix))
    assert set(stored) == set(restored), "a Saver in that program saves exactly these"
    assert program.session.run(tf1_graph.report_uninitialized_variables()).size == 0
    for name, value in (run.trained.snapshot.state.variables.items()):  # type: ignore[union-attr]
        np.testing.assert_array_equal(restored[name], value)
    assert restored["global_step"] == 6
    fed = {program.images: digits().test.pixels.reshape(-1, 784) * np.float32(1 / 255)}
    logits = program.session.run(program.logits, fed)
    native = model.predict_logits(run.trained.network, run.trained.current, digits().test.pixels)
    np.testing.assert_allclose(logits, native, rtol=1e-4, atol=1e-5)

    program.train(batches_after(run, 6))
    theirs = program.values(tf1_graph)
    longer = fit(
        run.trained.network, digits(), recipe(optimizer, steps=12), tmp_path,
        resume=run.artifacts["orbax"].path,
    )
    ours = persistence.tensors.state_tensors(  # type: ignore[attr-defined]
        longer.snapshot.state, run.config.optimizer, slots=True
    )
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=2e-3, atol=2e-5, err_msg=name)
    moved = np.abs(theirs["layer1/weights"] - restored["layer1/weights"]).max()
    assert moved > 1e-3, "training on must have changed something"


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "sgd"])
def test_we_go_on_from_what_tensorflow_saved(
    tf1_graph: ModuleType, persisted: Runs, tmp_path: Path, optimizer: str
) -> None:
    run = persisted(optimizer)
    program = Program(tf1_graph, optimizer, resource=False)
    program.saver.restore(program.session, str(run.artifacts["tf_checkpoint"].path))
    program.train(batches_after(run, 3))
    prefix = program.saver.save(program.session, str(tmp_path / "theirs.ckpt"), global_step=9)
    begin = persistence.continue_from(Path(prefix), run.trained.network, run.config.optimizer)
    fitted = fit(
        run.trained.network, digits(), recipe(optimizer, steps=12), tmp_path / "orbax", begin=begin
    )
    assert [interval.step for interval in fitted.history] == [12]
    ours = persistence.tensors.state_tensors(  # type: ignore[attr-defined]
        fitted.snapshot.state, run.config.optimizer, slots=True
    )
    program.train(batches_after(run, 6)[3:])
    for name, value in program.values(tf1_graph).items():
        np.testing.assert_allclose(ours[name], value, rtol=2e-3, atol=2e-5, err_msg=name)


def test_averages_are_what_variables_to_restore_maps(
    tf1_graph: ModuleType, persisted: Runs
) -> None:
    """A TF1 program for evaluation restores the shadows under the variables' own names."""
    run = persisted("adam")
    with tf1_graph.variable_scope("", use_resource=False):
        variables = {}
        for scope, shape in SIZES.items():
            with tf1_graph.variable_scope(scope):
                variables[f"{scope}/weights"] = tf1_graph.get_variable("weights", shape)
                variables[f"{scope}/biases"] = tf1_graph.get_variable("biases", shape[1:])
    mapping = tf1_graph.train.ExponentialMovingAverage(0.9).variables_to_restore()
    with tf1_graph.Session() as session:
        saver = tf1_graph.train.Saver(mapping)
        saver.restore(session, str(run.artifacts["tf_checkpoint"].path))
        for name, variable in variables.items():
            np.testing.assert_array_equal(session.run(variable), run.trained.variables[name])


def test_every_tensor_reads_back_by_tensorflow_s_reader(tf: ModuleType, persisted: Runs) -> None:
    for name in ("adam", "momentum", "sgd", "cnn"):
        run = persisted(name)
        assert run.trained.snapshot is not None
        reader = tf.train.load_checkpoint(str(run.artifacts["tf_checkpoint"].path))
        expected = persistence.tensors.state_tensors(  # type: ignore[attr-defined]
            run.trained.snapshot.state, run.config.optimizer, slots=True
        )
        assert set(reader.get_variable_to_shape_map()) == set(expected)
        for key, value in expected.items():
            found = reader.get_tensor(key)
            np.testing.assert_array_equal(found, value)
            assert np.asarray(found).dtype == value.dtype
        assert tf.train.latest_checkpoint(str(run.directory)) == str(
            run.artifacts["tf_checkpoint"].path
        )


def test_slots_can_be_left_out(tf: ModuleType, persisted: Runs, tmp_path: Path) -> None:
    run = persisted("adam")
    config = recipe(
        "adam", "persistence=tf_checkpoint", "persistence.tf_checkpoint.optimizer_slots=false"
    )
    made = persistence.persist(config.persistence, run.trained, tmp_path)
    names = {name for name, _ in tf.train.list_variables(str(made[0].path))}
    assert "global_step" in names
    assert not {name for name in names if "Adam" in name or "power" in name}
    assert {name for name in names if name.endswith("/ExponentialMovingAverage")}
