"""Constants, references and files of `graph`, against TensorFlow where it has a say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from pipeline import dtypes, graph

DTYPES = [
    "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64", "bool", "complex64", "complex128", "float8_e5m2",
    "float8_e4m3fn", "int4", "uint4",
]


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 2)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_constants_are_tensorflows(tf: ModuleType, dtype: str, shape: tuple[int, ...]) -> None:
    number = tf.dtypes.as_dtype(dtype)
    value = np.abs(np.random.default_rng(0).normal(size=shape) * 3).astype(number.as_numpy_dtype)
    encoded = graph.encode_tensor(value)
    theirs = TensorProto.FromString(tf.make_tensor_proto(value).SerializeToString())
    for proto in (encoded, theirs):
        found = graph.decode_tensor(proto)
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        assert found.tobytes() == value.tobytes()
    parsed = tf.io.parse_tensor(encoded.SerializeToString(), number).numpy()
    assert parsed.tobytes() == value.tobytes()


def test_string_content_is_read(tf: ModuleType) -> None:
    value = np.array([[b"a", b"bcd"], [b"", b"x" * 300]], np.object_)
    serialized = tf.io.serialize_tensor(tf.constant(value)).numpy()
    np.testing.assert_array_equal(graph.decode_tensor(TensorProto.FromString(serialized)), value)
    np.testing.assert_array_equal(graph.decode_tensor(graph.encode_tensor(value)), value)


def test_the_last_value_fills_the_shape_without_memory() -> None:
    proto = TensorProto(dtype=1, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add(size=4)
    assert graph.decode_tensor(proto).tolist() == [1, 2, 2, 2]
    wide = TensorProto(dtype=1, float_val=[3.0])
    wide.tensor_shape.dim.add(size=2**28)
    assert graph.decode_tensor(wide).strides == (0,)


@pytest.mark.parametrize(("text", "expected"), [
    ("a/b", ("a/b", 0)), ("a:12", ("a", 12)), ("^a", ("a", graph.CONTROL))])
def test_references(text: str, expected: tuple[str, int]) -> None:
    assert graph.parse_ref(text) == expected
    assert str(graph.parse_ref(text)) == text


@pytest.mark.parametrize("text", ["", "^", "a:", "a:b", "a:1:2", "^a:1", ":0"])
def test_malformed_references_are_refused(text: str) -> None:
    with pytest.raises(graph.GraphError):
        graph.parse_ref(text)


@pytest.mark.parametrize("as_text", [False, True])
def test_graphs_are_kept_binary_or_text(tmp_path: Path, as_text: bool) -> None:
    made = GraphDef(node=[graph.build_node("NoOp", "a")])
    path = tmp_path / "graph"
    graph.save_graph(made, path, as_text=as_text)
    graph.save_graph(made, path, as_text=as_text)
    assert graph.load_graph(path) == made
    assert [each.name for each in tmp_path.iterdir()] == ["graph"]


def test_files_that_hold_no_graph_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"File does not exist\. Received: "):
        graph.load_graph(tmp_path / "nothing.pb")
    (tmp_path / "noise.pb").write_bytes(b"\xff\xfe no graph")
    with pytest.raises(graph.GraphError, match=r"no GraphDef: as binary: .*; as text: "):
        graph.load_graph(tmp_path / "noise.pb")
    with pytest.raises(FileNotFoundError, match="It is a directory; a SavedModel is read by "):
        graph.load_graph(tmp_path)


def test_a_file_of_the_other_kind_is_told_from_noise(tmp_path: Path) -> None:
    weights = graph.build_node("Const", "a", attrs={
        "value": np.float32([-1.1, 2.7]), "dtype": dtypes.NUMBER["FLOAT"]})
    made = GraphDef(node=[weights])
    graph.save_graph(made, tmp_path / "x.pb")
    with pytest.raises(graph.GraphError, match="no MetaGraphDef but what load_graph reads: "):
        graph.load_meta_graph(tmp_path / "x.pb")
    meta_graph = graph.build_meta_graph([weights], graph.find_form("1.9"))
    graph.save_meta_graph(meta_graph, tmp_path / "x.meta")
    with pytest.raises(graph.GraphError, match=r"no GraphDef.*load_meta_graph"):
        graph.load_graph(tmp_path / "x.meta")
