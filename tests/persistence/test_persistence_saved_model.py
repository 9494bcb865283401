"""SavedModel and freeze_graph: TensorFlow loads, runs and restores what we write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest

from pipeline import checkpoint, graph, lowering
from pipeline.persistence import PersistenceError, farmhash
from pipeline.persistence.freeze_graph import freeze_graph
from pipeline.persistence.saved_model import save_saved_model

INPUTS = {"input": jax.ShapeDtypeStruct((None, 3), np.float32)}
VALUES = {"layer1/weights": np.arange(6, dtype=np.float32).reshape(3, 2),
          "layer1/biases": np.float32([1, -1])}
DECLARED = [graph.VariableDeclaration(name, value.shape, value.dtype)
            for name, value in VALUES.items()]
X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def model(v: dict[str, Any], x: Any) -> Any:
    with jax.named_scope("layer1"):
        logits = x @ v["layer1/weights"] + v["layer1/biases"]
    return logits, jax.nn.softmax(logits)


def build(resource: bool = False) -> Any:
    return lowering.export_meta_graph(model, DECLARED, INPUTS, resource=resource,
                                      outputs=("logits", "probabilities"))


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_tensorflow_loads_it_both_ways(tf: ModuleType, tmp_path: Path, resource: bool) -> None:
    where = tmp_path / "model"
    files = save_saved_model(where, build(resource), VALUES)
    assert [str(path.relative_to(where)) for path in files] == [
        "fingerprint.pb", "saved_model.pb", "variables/variables.data-00000-of-00001",
        "variables/variables.index"]
    expected = np.asarray(model(VALUES, X)[1])
    served = tf.saved_model.load(str(where)).signatures["serving_default"](tf.constant(X))
    np.testing.assert_allclose(served["probabilities"], expected, rtol=1e-6)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.saved_model.load(session, ["serve"], str(where))
        np.testing.assert_allclose(session.run("probabilities:0", {"input:0": X}), expected,
                                   rtol=1e-6)


def test_saved_model_cli_shows_and_runs_it(tmp_path: Path) -> None:
    save_saved_model(tmp_path / "model", build(), VALUES)
    np.save(tmp_path / "x.npy", X)
    command = [str(Path(sys.executable).with_name("saved_model_cli")), "run", "--dir",
               str(tmp_path / "model"), "--tag_set", "serve", "--signature_def",
               "serving_default", "--inputs", f"input={tmp_path / 'x.npy'}", "--outdir",
               str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_allclose(np.load(tmp_path / "out/probabilities.npy"), model(VALUES, X)[1],
                               rtol=1e-6)


def test_fingerprints_are_tensorflows(tf: ModuleType, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import fingerprint_pb2
    from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting

    random = np.random.default_rng(0)
    for size in (*range(1, 140), 1000, 4097):
        data = random.integers(0, 256, size, np.uint8)
        theirs = tf.raw_ops.Fingerprint(data=data[None], method="farmhash64").numpy().tobytes()
        assert farmhash.fingerprint(data.tobytes()) == int.from_bytes(theirs, "little"), size
    where = tmp_path / "model"
    save_saved_model(where, build(), VALUES)
    parse = fingerprint_pb2.FingerprintDef.FromString
    ours = parse((where / "fingerprint.pb").read_bytes())
    theirs = parse(fingerprinting.CreateFingerprintDef(str(where)))
    assert ours.signature_def_hash == theirs.signature_def_hash
    assert ours.checkpoint_hash == theirs.checkpoint_hash
    read = tf.saved_model.experimental.read_fingerprint(str(where))
    assert read.saved_model_checksum == ours.saved_model_checksum


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(PersistenceError, match="no values for the variables layer1/weights"):
        save_saved_model(tmp_path / "model", build(), {"layer1/biases": 1})
    assert not list(tmp_path.iterdir())
    (tmp_path / "model").mkdir()
    with pytest.raises(PersistenceError, match="exists"):
        save_saved_model(tmp_path / "model", build(), VALUES)


@pytest.mark.parametrize("resource", [False, True])
def test_freezes_a_checkpoint_and_meta_graph_of_tensorflow(
    tf: ModuleType, tf1_graph: ModuleType, tmp_path: Path, resource: bool
) -> None:
    v1: Any = tf1_graph
    with v1.device("/device:CPU:0"), v1.variable_scope("", use_resource=resource):
        x = v1.placeholder("float32", (None, 3), name="input")
        w = v1.get_variable("layer1/weights", initializer=VALUES["layer1/weights"])
        tf.nn.softmax(x @ w, name="probabilities")
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    frozen = freeze_graph(f"{prefix}.meta", prefix, "probabilities")
    assert not any(node.device for node in frozen.node)
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(v1.GraphDef.FromString(frozen.SerializeToString()), name="")
        found = session.run("probabilities:0", {"input:0": X})
    np.testing.assert_allclose(found, jax.nn.softmax(X @ VALUES["layer1/weights"]), rtol=1e-6)


def test_freezes_what_was_saved_as_slices_or_under_other_names(
    tf: ModuleType, tf1_graph: ModuleType, tmp_path: Path
) -> None:
    v1: Any = tf1_graph
    with v1.variable_scope("", use_resource=False):
        table = v1.get_variable("table", [10, 2], partitioner=v1.fixed_size_partitioner(3))
        bias = v1.get_variable("bias", [2])
        tf.add(v1.nn.embedding_lookup(table, [1, 5, 9]), bias, name="rows")
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver({"table": table, "old/bias": bias})
        prefix = saver.save(session, str(tmp_path / "model.ckpt"))
        expected = session.run("rows:0")
    frozen = freeze_graph(f"{prefix}.meta", prefix, "rows")
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(v1.GraphDef.FromString(frozen.SerializeToString()), name="")
        np.testing.assert_array_equal(session.run("rows:0"), expected)


def test_freezes_our_own(tmp_path: Path) -> None:
    graph.save_meta_graph(build(), tmp_path / "m.meta", as_text=True)
    checkpoint.write_bundle(tmp_path / "m", VALUES)
    frozen = freeze_graph(tmp_path / "m.meta", tmp_path / "m", ["probabilities"])
    assert {node.name: node.op for node in frozen.node}["layer1/weights"] == "Const"
    with pytest.raises(PersistenceError, match="doesn't exist!"):
        freeze_graph(tmp_path / "m.meta", tmp_path / "nope", "probabilities")
    with pytest.raises(PersistenceError, match="supply the name of a node"):
        freeze_graph(tmp_path / "m.meta", tmp_path / "m", "")
    with pytest.raises(graph.GraphError, match="does not exist"):
        freeze_graph(tmp_path / "n.meta", tmp_path / "m", "probabilities")
