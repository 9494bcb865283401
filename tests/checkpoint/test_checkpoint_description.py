"""What any path is, as Python and at the command line."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from pipeline.checkpoint import (
    CheckpointError,
    DataLossError,
    NotFoundError,
    PartitionedTensor,
    Saver,
    compare_checkpoints,
    describe,
    write_bundle,
)
from pipeline.checkpoint.__main__ import main
from pipeline.checkpoint.recognise import Kind
from pipeline.checkpoint.statistics import compute_statistics, largest_difference

TENSORS = {"layer1/weights": np.float32([[1, -2], [0, 5]]), "names": np.array([b"a"], np.object_),
           "part": PartitionedTensor.split(np.arange(6), 2), "step": np.int64(3)}


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    return str(Saver(TENSORS).save(tmp_path / "m", global_step=3))


def test_a_checkpoint_by_any_of_its_paths(prefix: str, tmp_path: Path) -> None:
    for path in (prefix, f"{prefix}.index", f"{prefix}.data-00000-of-00001", tmp_path):
        found = describe(path)
        assert (found.kind, found.path) == (Kind.CHECKPOINT, prefix)
        assert [(t.name, t.dtype, t.shape, t.size, t.slices) for t in found.tensors] == [
            ("layer1/weights", "DT_FLOAT", (2, 2), 16, 0), ("names", "DT_STRING", (1,), 6, 0),
            ("part", "DT_INT64", (6,), 48, 2), ("step", "DT_INT64", (), 8, 0)]
    assert "the latest in" in describe(tmp_path).notes[0]


def test_statistics_and_verification(prefix: str) -> None:
    weights, names, part, _ = describe(prefix, statistics=True, verify=True).tensors
    assert weights.statistics is not None
    assert (weights.statistics.minimum, weights.statistics.maximum, weights.statistics.mean,
            weights.statistics.zeros) == (-2, 5, 1, 1)
    assert weights.statistics.deviation == pytest.approx(np.std([1, -2, 0, 5]))
    assert names.statistics is None
    assert part.statistics is not None
    assert part.statistics.maximum == 5


def test_damage_is_told_tensor_by_tensor(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = Path(f"{prefix}.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    content[0] ^= 1
    data.write_bytes(content[:-1])
    assert [t.name for t in describe(prefix).damaged] == ["step"]
    assert [t.name for t in describe(prefix, verify=True).damaged] == ["layer1/weights", "step"]
    assert main([prefix, "--verify"]) == 1
    assert "DAMAGED" in capsys.readouterr().out
    data.unlink()
    assert len(describe(prefix).damaged) == 4


def test_state_files_and_directories(prefix: str, tmp_path: Path) -> None:
    found = describe(tmp_path / "checkpoint")
    assert (found.kind, found.notes) == (Kind.STATE, ("latest: m-3", "kept: m-3"))
    run = tmp_path / "run"
    (run / "orbax" / "5" / "default").mkdir(parents=True)
    (run / "orbax/5/default/_METADATA").write_text('{"tree_metadata": {}}')
    write_bundle(run / "lone", {"v": np.ones(1)})
    (run / "frozen.pb").write_bytes(b"x")
    (run / "orbax/40/default").mkdir(parents=True)
    (run / "orbax/40/default/_METADATA").write_text('{"tree_metadata": {}}')
    latest = describe(run / "orbax")
    assert (latest.kind, latest.path) == (Kind.ORBAX, str(run / "orbax/40"))
    assert latest.notes == (f"the latest in {run / 'orbax'}, which holds 40/, 5/",
                            "no checksums are kept with it: its values are unchecked")
    (run / "orbax/40").rename(tmp_path / "elsewhere")
    found = describe(run)
    assert (found.kind, found.notes) == (Kind.DIRECTORY, ("holds lone, frozen.pb, orbax/",))
    (tmp_path / "empty").mkdir()
    assert describe(tmp_path / "empty").notes == ("holds nothing that is known here",)


def test_what_is_not_there(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(NotFoundError, match=r"no such file.*has the checkpoints m-3"):
        describe(tmp_path / "nope")


def test_a_saved_model(tmp_path: Path, tf: ModuleType) -> None:
    module = tf.Module()
    module.w = tf.Variable(np.ones((2, 3), np.float32))
    module.run = tf.function(lambda x: tf.matmul(x, module.w),
                             input_signature=[tf.TensorSpec([None, 2])])
    tf.saved_model.save(module, str(tmp_path / "sm"))
    found = describe(tmp_path / "sm")
    assert found.kind is Kind.SAVED_MODEL
    assert found.notes[0] == "a SavedModel"
    assert "w/.ATTRIBUTES/VARIABLE_VALUE" in [tensor.name for tensor in found.tensors]
    assert describe(tmp_path / "sm/saved_model.pb").kind is Kind.GRAPH


def test_graphs(tmp_path: Path, tf1_graph: ModuleType) -> None:
    images = tf1_graph.placeholder(tf1_graph.float32, [None, 4], name="images")
    weights = tf1_graph.get_variable("w", [4, 2])
    tf1_graph.nn.softmax(tf1_graph.matmul(images, weights), name="probabilities")
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        tf1_graph.train.Saver().save(session, str(tmp_path / "m"))
        graph_def = tf1_graph.get_default_graph().as_graph_def()
    (tmp_path / "graph.pb").write_bytes(graph_def.SerializeToString())
    (tmp_path / "graph.pbtxt").write_text(str(graph_def))
    notes = describe(tmp_path / "graph.pb").notes
    assert notes[0] == "a GraphDef"
    assert notes[1] == f"nodes: {len(graph_def.node)}, producer {graph_def.versions.producer}"
    assert "inputs: images" in notes
    meta = describe(tmp_path / "m.meta").notes
    assert meta[0] == "a MetaGraphDef"
    assert "collections: trainable_variables, variables" in meta
    assert "saver: yes" in meta
    assert "protobuf text" in describe(tmp_path / "graph.pbtxt").notes[0]
    (tmp_path / "without-a-name").write_bytes(graph_def.SerializeToString())
    assert describe(tmp_path / "without-a-name").notes[0] == "a GraphDef"
    (tmp_path / "broken.pb").write_bytes(b"\xff\0\xff")
    with pytest.raises(DataLossError, match=r"broken\.pb: holds no GraphDef"):
        describe(tmp_path / "broken.pb")


def test_an_orbax_step(tmp_path: Path) -> None:
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "step", {"params": {"layer1/weights": jnp.ones((3, 4))}})
    found = describe(tmp_path / "step")
    assert found.kind is Kind.ORBAX
    assert [(t.name, t.shape) for t in found.tensors] == [("params/layer1/weights", (3, 4))]
    (tmp_path / "step/_METADATA").write_text("{}")
    with pytest.raises(DataLossError, match="is no description of an orbax tree"):
        describe(tmp_path / "step")


def test_files_of_other_formats_are_named(tmp_path: Path, tf1_graph: ModuleType) -> None:
    np.save(tmp_path / "a.npy", np.ones(1))
    np.savez(tmp_path / "a.npz", np.ones(1))
    onnx = b"\x08\x08\x12\x07pytorch\x3a\x05onnx!"
    content = {"a.gz": gzip.compress(b"x"), "idx.gz": gzip.compress(b"\0\0\x08\x03\0"),
               "bad.gz": b"\x1f\x8b\x08", "a.h5": b"\x89HDF\r\n\x1a\n", "a.bin": b"\0\1\2",
               "a.txt": "hällo\nyou".encode(), "a.json": b'{"a": 1}', "none": b"", "none.pb": b"",
               "a.idx": b"\0\0\x08\x03", "p.pt": b"\x80\x02", "a.onnx": onnx, "onnx.pb": onnx,
               "a.tflite": b"\x1c\0\0\0TFL3", "a.tar": bytes(257) + b"ustar",
               "a.jpeg": b"\xff\xd8\xff\xe0", "js.json": b'{"modelTopology": {}}',
               "events.out.tfevents.1": b"\1\0\0\0", "x.data-00000-of-00001": b"1234",
               "bad.zip": b"PK\x03\x04", "a.safetensors": (2).to_bytes(8, "little") + b"{}  "}
    for name, inside in {"k.keras": ("config.json", "metadata.json"), "a.zip": ("x", "y"),
                         "t.pt": ("t/data.pkl", "t/version")}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in inside:
                archive.writestr(file, "")
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    tf1_graph.Variable([1.0], name="v1")
    with tf1_graph.Session() as session:
        session.run(tf1_graph.global_variables_initializer())
        tf1_graph.train.Saver(write_version=tf1_graph.train.SaverDef.V1).save(
            session, str(tmp_path / "old"))
    for name, text in {
        "a.npy": "a NumPy array", "a.npz": "numpy.load reads arr_0", "a.gz": "unpack it first",
        "idx.gz": "IDX file in gzip", "bad.gz": "damaged gzip", "a.h5": "HDF5",
        "a.txt": "a text file that begins: hällo", "a.json": "a JSON file", "js.json": ".js model",
        "a.bin": "no format known", "none": "empty", "none.pb": "empty", "a.idx": "IDX",
        "p.pt": "pickle", "a.onnx": "ONNX", "onnx.pb": "ONNX", "a.tflite": "TensorFlow Lite",
        "a.tar": "tar archive", "a.jpeg": "JPEG", "bad.zip": "damaged zip",
        "k.keras": "Keras model", "t.pt": "PyTorch", "a.zip": "zip archive of 2 files",
        "events.out.tfevents.1": "TensorBoard", "x.data-00000-of-00001": ".index is missing",
        "a.safetensors": "safetensors", "old": "V1 checkpoint",
    }.items():
        found = describe(tmp_path / name)
        assert found.kind is Kind.OTHER
        assert text in found.notes[0]


def test_differences(tmp_path: Path) -> None:
    shared = {"same": np.ones(3), "words": np.array([b"a"], np.object_)}
    write_bundle(tmp_path / "a", {**shared, "x": np.float32([1, np.nan]), "gone": np.ones(1),
                                  "shape": np.ones(1), "dtype": np.ones(1), "nan": np.ones(1),
                                  "part": np.arange(6)})
    write_bundle(tmp_path / "b", {**shared, "x": np.float32([1.5, np.nan]), "new": np.ones(1),
                                  "shape": np.ones(2), "dtype": np.ones(1, np.float32),
                                  "words": np.array([b"b"], np.object_), "nan": np.array([np.nan]),
                                  "part": PartitionedTensor.split(np.arange(6), 2)})
    difference = compare_checkpoints(tmp_path / "a", tmp_path / "b")
    assert str(difference).splitlines() == [
        "- gone", "+ new", "! dtype: DT_DOUBLE → DT_FLOAT", "! nan: values differ by up to inf",
        "! shape: (1,) → (2,)", "! words: strings differ", "! x: values differ by up to 0.5",
        "2 equal, 5 changed, 1 only in the first, 1 only in the second"]
    assert not compare_checkpoints(tmp_path / "a", tmp_path / "a")


def test_figures_of_awkward_values() -> None:
    assert compute_statistics(np.array([b"x"], np.object_)) is None
    figures = compute_statistics(np.array([np.nan, np.inf], np.float32))
    assert figures is not None
    assert (figures.minimum, figures.not_finite) == (None, 2)
    for array in (np.array([True, False]), np.ones((2, 2), ml_dtypes.bfloat16),
                  np.array([3 + 4j]), np.array([1, 2], ml_dtypes.int4), np.empty((0, 2))):
        figures = compute_statistics(array)
        assert figures is not None
        assert figures.not_finite == 0
    many = np.arange(3 << 20, dtype=np.float64)
    figures = compute_statistics(many)
    assert figures is not None
    assert (figures.maximum, figures.mean) == (many[-1], many.mean())
    assert largest_difference(np.array([1 + 1j]), np.array([1 - 1j])) == 2


def test_command_line(
    prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([prefix]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "layer1/weights  DT_FLOAT   [2,2]  16",
        "names           DT_STRING  [1]    6",
        "part            DT_INT64   [6]    48  2 slices",
        "step            DT_INT64   []     8",
        "4 tensors, 78 bytes"]
    assert main([prefix, "--stats"]) == 0
    assert "-2 … 5, mean 1 ± 2.55, 1 zeros" in capsys.readouterr().out
    assert main([prefix, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tensors"][0]["shape"] == [2, 2]
    assert main([prefix, "--diff", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("4 equal, 0 changed")
    write_bundle(tmp_path / "other", {})
    assert main([prefix, "--diff", str(tmp_path / "other"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["equal"] == 0
    assert main([str(tmp_path / "nope")]) == 2
    assert "there is no such" in capsys.readouterr().err


def test_command_line_as_a_process(prefix: str) -> None:
    out = subprocess.run([sys.executable, "-m", "pipeline.checkpoint", prefix], check=True,
                         capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert out.stdout.endswith("4 tensors, 78 bytes\n")
    assert issubclass(NotFoundError, CheckpointError)
