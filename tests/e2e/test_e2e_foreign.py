"""Graphs that TensorFlow wrote, from the command line: evaluated, asked about a picture, tuned."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from command_line import metrics, run
from configured import digits
from PIL import Image

from pipeline.data.pictures import read_picture


def weights(*shape: int) -> np.ndarray:
    values = np.random.default_rng([0, *shape]).normal(size=shape)
    return (values / np.sqrt(shape[0])).astype(np.float32)


@pytest.fixture(scope="module")
def frozen(tf: ModuleType, home: Path) -> Path:
    """Two layers under a stranger's names: NHWC pictures in, a softmax out."""
    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf1.float32, [None, 28, 28, 1], name="pictures")
        y = tf1.reshape(x, [-1, 784])
        for name, shape in (("layer1", (784, 32)), ("layer2", (32, 10))):
            w = tf1.constant(weights(*shape), name=f"{name}/weights")
            b = tf1.constant(np.zeros(shape[1], np.float32), name=f"{name}/biases")
            y = tf1.nn.bias_add(tf1.matmul(y if name == "layer1" else tf1.nn.relu(y), w), b)
        tf1.nn.softmax(y, name="answer")
        tf1.io.write_graph(graph, str(home), "foreign.pb", as_text=False)
    return home / "foreign.pb"


def ask_tensorflow(tf: ModuleType, path: Path, name: str, feed: str, images: np.ndarray) -> Any:
    with tf.Graph().as_default():
        definition = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        tf.import_graph_def(definition, name="")
        with tf.compat.v1.Session() as session:
            return session.run(name, {feed: images})


def images() -> tuple[np.ndarray, np.ndarray]:
    whole = digits(1300, 137, 360).test
    return whole.pixels[..., None] * np.float32(1 / 255), whole.digits


def test_it_is_evaluated(tf: ModuleType, home: Path, frozen: Path) -> None:
    finished = run(home, "task=evaluate", "restore=foreign.pb", "hydra.run.dir=foreign-evaluated")
    assert finished.code == 0, finished.err
    assert finished.imported == ["jax"]
    pixels, labels = images()
    found = ask_tensorflow(tf, frozen, "answer:0", "pictures:0", pixels)
    record = metrics(home / "foreign-evaluated")
    assert record["test_accuracy"] == pytest.approx((found.argmax(1) == labels).mean())
    loss = -np.log(found[np.arange(len(labels)), labels]).mean()
    assert record["test_loss"] == pytest.approx(loss, rel=1e-4)
    assert "layer2/weights" in (home / "foreign-evaluated" / "report.html").read_text()


def test_it_is_asked_about_a_picture(tf: ModuleType, home: Path, frozen: Path) -> None:
    Image.fromarray(digits().test.pixels[0]).save(home / "digit.png")
    pixels = read_picture(home / "digit.png")[None, ..., None] * np.float32(1 / 255)
    finished = run(home, "task=predict", "restore=foreign.pb", "input=digit.png")
    assert finished.code == 0, finished.err
    (answer,) = json.loads(finished.out)
    expected = ask_tensorflow(tf, frozen, "answer:0", "pictures:0", pixels)
    np.testing.assert_allclose(answer["probabilities"], expected[0], rtol=1e-4, atol=1e-6)


def test_its_last_layer_is_tuned_and_keeps_its_name(
    tf: ModuleType, home: Path, frozen: Path
) -> None:
    finished = run(home, "model=imported", "model.path=foreign.pb", "model.trainable=layer2/*",
                   "trainer.epochs=4", "optimizer.learning_rate=0.02", "hydra.run.dir=tuned")
    assert finished.code == 0, finished.err
    record = metrics(home / "tuned")
    assert all(parity["agrees"] for parity in record["parity"])
    assert record["test_accuracy"] > 0.5
    before, after = (
        {node.name: tf.make_ndarray(node.attr["value"].tensor)
         for node in tf.compat.v1.GraphDef.FromString(path.read_bytes()).node
         if node.op == "Const"} for path in (frozen, home / "tuned" / "frozen_graph.pb"))
    assert np.array_equal(before["layer1/weights"], after["layer1/weights"])
    for name in ("layer2/weights", "layer2/biases"):
        assert before[name].shape == after[name].shape
        assert not np.array_equal(before[name], after[name])
    shapes = dict(tf.train.list_variables(str(home / "tuned")))
    assert shapes["layer2/weights"] == [32, 10]
    pixels, labels = images()
    found = ask_tensorflow(
        tf, home / "tuned" / "frozen_graph.pb", "probabilities:0", "input:0", pixels)
    assert record["test_accuracy"] == pytest.approx((found.argmax(1) == labels).mean())


def test_what_does_not_fit_is_told_in_a_line(tf: ModuleType, home: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 32, 32, 3], name="x")
        tf.reduce_sum(x, [1, 2], name="y")
        tf.io.write_graph(graph, str(home), "coloured.pb", as_text=False)
    finished = run(home, "task=predict", "restore=coloured.pb", "input=digit.png")
    assert finished.code == 1
    assert "has no inputs for 784 pixels an example (x:0 (None, 32, 32, 3))" in finished.err
    assert "Traceback" not in finished.err
