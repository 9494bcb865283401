"""Classifiers of 28×28 digits as strangers write them: real TensorFlow, other names and layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np


class Foreign(NamedTuple):
    """A file, the configuration it needs besides its path, and TensorFlow's own logits."""

    path: Path
    words: tuple[str, ...]
    logits: np.ndarray


Builder = Callable[[ModuleType, Path, np.ndarray], Foreign]


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng([seed, *shape]).normal(size=shape)
    return (values / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)


def unit(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) * np.float32(1 / 255)


def finish(tf1: ModuleType, directory: Path, logits: Any, feeds: dict[str, Any],
           *words: str, as_text: bool = False) -> Foreign:
    """Freezes the default graph, whose weights are constants already."""
    with tf1.Session() as session:
        expected = session.run(logits, feeds)
    definition = tf1.get_default_graph().as_graph_def()
    name = "net.pbtxt" if as_text else "net.pb"
    tf1.io.write_graph(definition, str(directory), name, as_text=as_text)
    return Foreign(directory / name, words, expected)


def flat_with_softmax(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    x = tf1.placeholder(tf1.float32, [None, 784], name="Placeholder")
    logits = tf1.matmul(x, weights(784, 10), name="dense/MatMul") + weights(10)
    tf1.nn.softmax(logits, name="final_result")
    return finish(tf1, directory, logits, {x: unit(pixels).reshape(-1, 784)}, as_text=True)


def nhwc_with_dropout(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    """The prediction is an argmax; dropout and the layers' mode are fed."""
    x = tf1.placeholder(tf1.float32, [None, 28, 28, 1], name="images")
    keep = tf1.placeholder(tf1.float32, name="keep_prob")
    training = tf1.placeholder(tf1.bool, [], name="is_training")
    y = tf1.nn.relu(tf1.nn.conv2d(x, weights(5, 5, 1, 4), 2, "SAME"))
    y = tf1.cond(training, lambda: y * 2, lambda: y)
    y = tf1.nn.dropout(tf1.reshape(y, [-1, 14 * 14 * 4]), keep_prob=keep)
    logits = tf1.nn.bias_add(y @ weights(14 * 14 * 4, 10), weights(10), name="fc/scores")
    tf1.argmax(logits, 1, name="prediction")
    feeds = {x: unit(pixels)[..., None], keep: 1.0, training: False}
    return finish(tf1, directory, logits, feeds,
                  "+model.given={keep_prob: 1.0, is_training: false}")


def nchw_signed(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    x = tf1.placeholder(tf1.float32, [None, 1, None, None], name="data")
    y = tf1.reshape(tf1.transpose(x, [0, 2, 3, 1])[:, ::2, ::2], [-1, 196])
    logits = tf1.tanh(y @ weights(196, 30)) @ weights(30, 10)
    return finish(tf1, directory, logits, {x: unit(pixels)[:, None] * 2 - 1},
                  "model.pixel_range=[-1,1]")


def bytes_one_by_one(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    """Raw pixels, one example at a time."""
    x = tf1.placeholder(tf1.uint8, [1, 28, 28], name="image")
    y = tf1.reshape(tf1.cast(x, tf1.float32) / 255, [1, 784])
    logits = y @ weights(784, 10)
    tf1.nn.softmax(logits, name="probabilities")
    with tf1.Session() as session:
        rows = [session.run(logits, {x: image[None]})[0] for image in pixels]
    return finish(tf1, directory, logits, {x: pixels[:1]})._replace(logits=np.stack(rows))


def with_two_heads(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    x = tf1.placeholder(tf1.float32, [None, 784], name="input")
    tf1.matmul(x, weights(784, 10), name="first")
    second = tf1.matmul(x, weights(784, 10, seed=1), name="second")
    return finish(tf1, directory, second, {x: unit(pixels).reshape(-1, 784)},
                  "model.logits=second")


def training_graph(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    """A `.meta` with everything that trained the model, and its checkpoint."""
    x = tf1.placeholder(tf1.float32, [None, 784], name="x")
    labels = tf1.placeholder(tf1.float32, [None, 10], name="y_")
    w = tf1.get_variable("layer/weights", initializer=weights(784, 10), use_resource=False)
    b = tf1.get_variable("layer/biases", initializer=weights(10), use_resource=False)
    y = tf1.matmul(x, w) + b
    loss = tf1.reduce_mean(tf1.nn.softmax_cross_entropy_with_logits(labels=labels, logits=y))
    tf1.train.AdamOptimizer(0.01).minimize(loss)
    right = tf1.equal(tf1.argmax(y, 1), tf1.argmax(labels, 1))
    tf1.reduce_mean(tf1.cast(right, tf1.float32), name="accuracy")
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        prefix = tf1.train.Saver().save(session, str(directory / "model.ckpt"), global_step=7)
        logits = session.run(y, {x: unit(pixels).reshape(-1, 784)})
    return Foreign(Path(f"{prefix}.meta"), (), logits)


def first_saved_model(tf1: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    x = tf1.placeholder(tf1.float32, [None, 28, 28], name="img")
    w = tf1.get_variable("w", initializer=weights(784, 10), use_resource=False)
    logits = tf1.reshape(x, [-1, 784]) @ w
    scores = tf1.nn.softmax(logits)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        builder = tf1.saved_model.Builder(str(directory / "saved"))
        signature = tf1.saved_model.predict_signature_def({"img": x}, {"scores": scores})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
        expected = session.run(logits, {x: unit(pixels)})
    return Foreign(directory / "saved", (), expected)


def keras_model(tf: ModuleType) -> Any:
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    return tf.keras.Sequential([
        tf.keras.Input((28, 28, 1), name="picture"),
        layers.Conv2D(6, 5, strides=2, name="conv"), layers.BatchNormalization(name="norm"),
        layers.ReLU(), layers.Flatten(), layers.Dropout(0.5),
        layers.Dense(10, activation="softmax", name="head"),
    ])


def second_saved_model(tf: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    model = keras_model(tf)
    model.export(directory / "saved", verbose=False)
    probabilities = model(unit(pixels)[..., None], training=False).numpy()
    return Foreign(directory / "saved", (), np.log(probabilities))


def frozen_keras(tf: ModuleType, directory: Path, pixels: np.ndarray) -> Foreign:
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    model = keras_model(tf)
    traced = tf.function(model).get_concrete_function(tf.TensorSpec([None, 28, 28, 1]))
    frozen = convert_variables_to_constants_v2(traced)
    tf.io.write_graph(frozen.graph, str(directory), "frozen.pb", as_text=False)
    probabilities = model(unit(pixels)[..., None], training=False).numpy()
    return Foreign(directory / "frozen.pb", (), np.log(probabilities))


FIRST: dict[str, Builder] = {each.__name__: each for each in (
    flat_with_softmax, nhwc_with_dropout, nchw_signed, bytes_one_by_one, with_two_heads,
    training_graph, first_saved_model)}
SECOND: dict[str, Builder] = {each.__name__: each for each in (second_saved_model, frozen_keras)}


def build(tf: ModuleType, name: str, directory: Path, pixels: np.ndarray) -> Foreign:
    """One of them, written below `directory`."""
    if name in SECOND:
        return SECOND[name](tf, directory, pixels)
    with tf.Graph().as_default():
        return FIRST[name](tf.compat.v1, directory, pixels)
