"""SavedModels that TensorFlow wrote, in both of its forms."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import jax
import numpy as np
import pytest
from execution_judge import relative_error

from pipeline import execution

X = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)


def save_first_form(tf1: ModuleType, directory: str) -> np.ndarray:
    x = tf1.placeholder(tf1.float32, [None, 3], name="x")
    weights = tf1.get_variable("layer/weights", [3, 4], use_resource=False)
    y = tf1.nn.softmax(x @ weights, name="y")
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        builder = tf1.saved_model.Builder(directory)
        signature = tf1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
        return session.run(y, {x: X})


def save_second_form(tf: ModuleType, directory: str) -> np.ndarray:
    module = tf.Module()
    module.weights = tf.Variable(tf.random.normal([3, 4], seed=1), name="layer/weights")
    module.count = tf.Variable(0, name="count")

    def call(x):
        module.count.assign_add(1)
        return {"y": tf.nn.softmax(x @ module.weights)}

    module.call = tf.function(call, input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])
    tf.saved_model.save(module, directory, signatures=module.call)
    return module.call(X)["y"].numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["first", "second"])
def test_saved_model_is_restored_and_run(tf: ModuleType, tmp_path: Path, form: str) -> None:
    directory = str(tmp_path / "model")
    if form == "first":
        with tf.Graph().as_default():
            expected = save_first_form(tf.compat.v1, directory)
    else:
        expected = save_second_form(tf, directory)
    imported = execution.import_saved_model(directory)
    signature = imported.signatures["serving_default"]
    names = signature.inputs["x"].name, signature.outputs["y"].name
    assert relative_error(imported.run(names[1], {names[0]: X}), expected) <= 1e-5
    assert np.shape(imported.values["layer/weights"]) == (3, 4)

    f = imported.function([names[0]], [names[1]])
    assert relative_error(f(imported.values, X)[0], expected) <= 1e-5
    floats = {"layer/weights": imported.values["layer/weights"]}
    gradient = jax.grad(
        lambda values: f({**imported.values, **values}, X)[0][:, 0].sum())(floats)
    assert np.abs(gradient["layer/weights"]).max() > 0
    if form == "second":
        assert imported.values["count"] == 1
        assert f.with_updates(imported.values, X)[1]["count"] == 2


def test_no_saved_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(execution.ExecutionError, match=r"no SavedModel; expected saved_model\.pb"):
        execution.import_saved_model(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\x12\x7fdamage")
    with pytest.raises(execution.ExecutionError, match="damaged SavedModel"):
        execution.import_saved_model(tmp_path)
