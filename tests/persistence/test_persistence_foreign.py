"""Graphs of strangers, evaluated: what TensorFlow says of the digits is what is said here."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from configured import configured, digits
from foreign_models import FIRST, SECOND, build, unit, weights

from pipeline import evaluate, model, persistence
from pipeline.config import ConfigError
from pipeline.config.persistence import GraphNames
from pipeline.persistence import PersistenceError


def foreign(path: Path, *words: str) -> tuple[np.ndarray, model.Network]:
    """Logits and the network, as task=evaluate and task=predict get them."""
    config = configured("model=imported", f"model.path={path}", *words).model
    network = model.build(config)
    return persistence.load_logits(path, network, digits().test.pixels, config), network


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", [*FIRST, *SECOND])
def test_a_stranger_s_graph_says_what_tensorflow_says(
    tf: ModuleType, tmp_path: Path, name: str
) -> None:
    pixels = digits().test.pixels
    made = build(tf, name, tmp_path, pixels)
    found, network = foreign(made.path, *made.words)
    ours, theirs = evaluate.log_softmax(found), evaluate.log_softmax(made.logits)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert np.prod(network.input_shape) == 784

    # the same through the network of another model, as a run's own artefact is evaluated
    mlp = configured().model
    if made.path.suffix != ".meta" and "model.pixel_range=[-1,1]" not in made.words:
        mlp.given = configured("model=imported", "model.path=x", *made.words).model.given
        mlp.logits = "second" if name == "with_two_heads" else None
        again = persistence.load_logits(made.path, model.build(mlp), pixels, mlp)
        np.testing.assert_array_equal(again, found)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", sorted({*FIRST, *SECOND} - {"nhwc_with_dropout"}))
def test_a_stranger_s_graph_is_written_again(tf: ModuleType, tmp_path: Path, name: str) -> None:
    """With any batch size, under the same names, and TensorFlow runs it.

    A graph that draws random numbers for each example can't: their count is not known.
    """
    pixels = digits().test.pixels
    made = build(tf, name, tmp_path, pixels)
    found, network = foreign(made.path, *made.words)
    frozen = persistence.build_frozen_graph(GraphNames(), network, network.init(0))
    kernels = {key for key, spec in network.specs.items() if len(spec.shape) > 1}
    assert kernels <= {node.name for node in frozen.node if node.op == "Const"}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(
            tf.compat.v1.GraphDef.FromString(frozen.SerializeToString()), name="")
        images = unit(pixels).reshape(-1, *network.input_shape)
        logits = session.run("logits:0", {"input:0": images})
    np.testing.assert_allclose(logits, found, rtol=1e-5, atol=1e-5)


def write(tf: ModuleType, directory: Path, shape: list[int | None], classes: int = 10) -> Path:
    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        x = tf1.placeholder(tf1.float32, shape, name="x")
        size = int(np.prod(shape[1:]))
        tf1.matmul(tf1.reshape(x, [-1, size]), weights(size, classes), name="scores")
        tf1.placeholder(tf1.float32, [], name="unused")
        tf1.io.write_graph(tf1.get_default_graph(), str(directory), "net.pb", as_text=False)
    return directory / "net.pb"


def test_what_does_not_fit_is_told(tf: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no inputs for 784 pixels an example \(x:0 \(None, 32"):
        foreign(write(tf, tmp_path, [None, 32, 32, 1]))
    path = write(tf, tmp_path, [None, 784], classes=12)
    with pytest.raises(ConfigError, match=r"no output \[batch, 10\] that x:0 alone decides"):
        foreign(path)
    with pytest.raises(ConfigError, match=r"ends in \[batch, 12\]; the data has 10 classes"):
        foreign(path, "model.logits=scores")
    path = write(tf, tmp_path, [None, 784])
    for words, text in [
        ("model.input=images", "model.input=images: .*'images', does not exist in the graph"),
        ("model.logits=scores:1", "model.logits=scores:1: .*only has 1 outputs"),
        ("+model.given={y: 1}", "model.given=y: .*'y', does not exist in the graph"),
    ]:
        with pytest.raises(ValueError, match=text):
            foreign(path, words)
    lite = tmp_path / "net.tflite"
    lite.write_bytes(b"TFL3")
    assert persistence.find(lite).kind == "tflite"
    with pytest.raises(PersistenceError, match="there is no such file"):
        persistence.find(tmp_path / "other.tflite")


def test_several_outputs_must_be_told_apart(tf: ModuleType, tmp_path: Path) -> None:
    made = build(tf, "with_two_heads", tmp_path, digits().test.pixels)
    with pytest.raises(ConfigError, match=r"several outputs of 10 classes \(first:0, second:0\)"):
        foreign(made.path)
    assert unit(np.uint8([255])) == 1
