"""What task=inspect says of each kind of file, and the page that draws a graph."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from configured import ROOT
from google.protobuf import text_format
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import graph
from pipeline.checkpoint import write_bundle
from pipeline.config import ConfigError
from pipeline.config.inspection import InspectConfig, MetaGraphField
from pipeline.errors import PipelineError
from pipeline.inspection.graph_files import load_graph_file
from pipeline.inspection.look import look
from pipeline.inspection.redrawing import with_functions, without_reads

Captured = pytest.CaptureFixture[str]
FIELDS = ("meta_info_def", "graph_def", "saver_def", "collection_def", "signature_def")


def said(
    capsys: Captured, path: Path, destination: Path | None = None,
    field: MetaGraphField | None = None, **options: object,
) -> str:
    """What a look prints, of what is sound."""
    target = None if destination is None else str(destination)
    assert look(str(path), target, field, InspectConfig(**options))  # type: ignore[arg-type]
    return capsys.readouterr().out


@pytest.fixture
def step(tmp_path: Path) -> Path:
    """An orbax step with an array that both kinds of checkpoint name alike."""
    tree = {"params": {"layer1/weights": jnp.arange(12.0).reshape(3, 4)}, "step": jnp.int32(3),
            "half": jnp.ones(5, jnp.bfloat16), "empty": {}}
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "steps" / "3", tree)
    return tmp_path / "steps" / "3"


def test_an_orbax_step(step: Path, capsys: Captured) -> None:
    lines = said(capsys, step, stats=True).splitlines()
    assert lines[1:] == [
        "  no checksums are kept with it: its values are unchecked",
        "half                   DT_BFLOAT16  [5]    10    1 … 1, mean 1 ± 0, 0 zeros",
        "params/layer1/weights  DT_FLOAT     [3,4]  48    0 … 11, mean 5.5 ± 3.452, 1 zeros",
        "step                   DT_INT32     []     4     3 … 3, mean 3 ± 0, 0 zeros",
        "3 tensors, 62 bytes"]
    assert f"the latest in {step.parent}, which holds 3/" in said(capsys, step.parent)
    found = json.loads(said(capsys, step, json=True, verify=True))
    assert found["kind"] == "orbax checkpoint"
    assert found["tensors"][1]["shape"] == [3, 4]


def test_a_damaged_orbax_step(step: Path, capsys: Captured) -> None:
    largest = max(step.rglob("d/*"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    largest.write_bytes(content)
    assert not look(str(step), None, None, InspectConfig(verify=True))
    assert "DAMAGED" in capsys.readouterr().out


def test_orbax_steps_and_checkpoints_are_compared(
    step: Path, tmp_path: Path, capsys: Captured
) -> None:
    write_bundle(tmp_path / "m", {
        "params/layer1/weights": np.arange(12, dtype=np.float32).reshape(3, 4),
        "step": np.int32(5), "half": np.ones(5, np.float32)})
    assert not look(str(step), None, None, InspectConfig(diff=str(tmp_path / "m")))
    assert capsys.readouterr().out.splitlines() == [
        "! half: bfloat16 → float32", "! step: values differ by up to 2",
        "1 equal, 2 changed, 0 only in the first, 0 only in the second"]
    assert said(capsys, step, diff=str(step.parent)).startswith("3 equal, 0 changed")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ConfigError, match="a text file that begins: hello; two checkpoints"):
        look(str(step), None, None, InspectConfig(diff=str(tmp_path / "text")))


@pytest.fixture
def saved(tmp_path: Path, tf1_graph: ModuleType) -> Path:
    """A directory with what TensorFlow writes: checkpoint, MetaGraph, GraphDef, SavedModel."""
    tf1 = tf1_graph
    images = tf1.placeholder(tf1.float32, [None, 4], name="images")
    with tf1.variable_scope("layer1", use_resource=False):
        weights = tf1.get_variable("weights", [4, 2])
        logits = tf1.matmul(images, weights, name="logits")
    answer = tf1.nn.softmax(logits, name="probabilities")
    saver = tf1.train.Saver(max_to_keep=3)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        saver.save(session, str(tmp_path / "m"), global_step=7)
        saver.export_meta_graph(str(tmp_path / "m.meta.json"), as_text=True)
        tf1.saved_model.simple_save(session, str(tmp_path / "sm"), {"x": images}, {"y": answer})
        graph_def = tf1.get_default_graph().as_graph_def()
    (tmp_path / "g.pb").write_bytes(graph_def.SerializeToString())
    (tmp_path / "g.pbtxt").write_text(str(graph_def))
    meta_graph = load_graph_file(tmp_path / "m-7.meta").meta_graphs[0]
    (tmp_path / "m.json").write_text(graph.meta_graph_json(meta_graph))
    return tmp_path


@pytest.mark.parametrize(("name", "what"), [
    ("m-7.meta", "a MetaGraphDef, binary"), ("m.meta.json", "a MetaGraphDef, protobuf text"),
    ("m.json", "a MetaGraphDef, JSON"), ("g.pb", "a GraphDef, binary"),
    ("g.pbtxt", "a GraphDef, protobuf text"), ("sm", "a SavedModel, binary"),
    ("sm/saved_model.pb", "a SavedModel, binary"),
])
def test_a_graph_of_every_form(saved: Path, capsys: Captured, name: str, what: str) -> None:
    text = said(capsys, saved / name, batch=10)
    assert what in text
    assert "inputs: images DT_FLOAT[?, 4]" in text
    assert "outputs: probabilities DT_FLOAT" in text
    assert "8 parameters · 160 FLOPs for a batch of 10" in text
    assert "  layer1: 8 parameters" in text
    assert "MatMul 1" in text
    assert "not supported here: SaveV2 (save" in text
    assert "the outputs do not need it" in text
    assert ("collections: " in text) == ("a GraphDef" not in what)
    record = json.loads(said(capsys, saved / name, json=True))
    assert record["graphs"][0]["inputs"][0]["shape"] == [None, 4]
    assert record["graphs"][0]["hindering"] == []


def test_a_saved_model_of_tensorflow_2(tmp_path: Path, tf: ModuleType, capsys: Captured) -> None:
    module = tf.Module()
    module.w = tf.Variable(np.ones((4, 3), np.float32))
    module.run = tf.function(lambda x: {"y": tf.matmul(x, module.w)}, input_signature=[
        tf.TensorSpec([None, 4], name="x")])
    tf.saved_model.save(module, str(tmp_path / "sm"))
    text = said(capsys, tmp_path / "sm", tmp_path / "sm.html")
    assert "w/.ATTRIBUTES/VARIABLE_VALUE  DT_FLOAT   [4,3]" in text
    assert "signature serving_default: x → y" in text
    assert "outputs: StatefulPartitionedCall DT_FLOAT[?, 3]" in text
    assert "12 parameters · 24 FLOPs" in text
    page = (tmp_path / "sm.html").read_text()
    assert "MatMul" in page, "the functions are drawn too"


def test_each_field_of_a_meta_graph(saved: Path, capsys: Captured, tf: ModuleType) -> None:
    """The five together are, to TensorFlow, the whole MetaGraph."""
    for place, file in (("m-7", "m-7.meta"), ("m.meta.json", "m.meta.json")):
        whole = tf.compat.v1.MetaGraphDef()
        for name in FIELDS:
            text = said(capsys, saved / place, field=name)
            alone = text_format.Parse(text, tf.compat.v1.MetaGraphDef())
            assert [field.name for field, _ in alone.ListFields()] in ([name], [])
            whole.MergeFrom(alone)
        read = tf.compat.v1.MetaGraphDef()
        content = (saved / file).read_bytes()
        if file.endswith(".json"):
            text_format.Parse(content.decode(), read)
        else:
            read.ParseFromString(content)
        assert whole == read
    assert json.loads(said(capsys, saved / "m-7", field="saver_def", json=True)) == {
        "saver_def": json.loads(said(capsys, saved / "m.json", field="saver_def",
                                     json=True))["saver_def"]}
    assert said(capsys, saved / "m-7", field="signature_def") == "# signature_def is empty\n"
    assert "serving_default" in said(capsys, saved / "sm", field="signature_def")
    with pytest.raises(ConfigError, match="is no MetaGraph; give a"):
        look(str(saved / "checkpoint"), None, "graph_def", InspectConfig())


@pytest.mark.parametrize(("name", "destination", "options", "text"), [
    ("m-7", "x.html", {}, "no graph: TensorFlow V2 checkpoint"),
    ("g.pb", "x.png", {}, "expected a name that ends in .html"),
    ("g.pb", "g.pb/x.html", {}, "destination="),
    ("g.pb", None, {"batch": 0}, "inspect.batch=0"),
    ("nope", None, {}, "has the checkpoints m-7"),
])
def test_what_cannot_be_done(
    saved: Path, name: str, destination: str | None, options: dict[str, int], text: str
) -> None:
    before = sorted(saved.rglob("*"))
    target = None if destination is None else str(saved / destination)
    with pytest.raises(PipelineError, match=re.escape(text)):
        look(str(saved / name), target, None, InspectConfig(**options))  # type: ignore[arg-type]
    assert sorted(saved.rglob("*")) == before


class Page(HTMLParser):
    """Anchors, links and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.anchors.append(value or "")
            elif name in ("href", "src"):
                self.links.append(value or "")


def require_whole(text: str, names: set[str]) -> None:
    """Every link leads somewhere in the page, nothing is fetched, and all nodes are told of."""
    page = Page(text)
    assert len(set(page.anchors)) == len(page.anchors)
    assert {link.removeprefix("#") for link in page.links} <= set(page.anchors)
    assert "url(" not in text
    listed = set(re.findall(r'<tr id="g\d*n\d+"><td><code>([^<]*)</code>', text))
    assert listed == names


def test_the_page_draws_every_scope(saved: Path, capsys: Captured) -> None:
    said(capsys, saved / "m-7.meta", saved / "graph.html")
    text = (saved / "graph.html").read_text()
    drawn = without_reads(load_graph_file(saved / "m-7.meta").meta_graphs[0].graph_def)
    require_whole(text, {node.name for node in drawn.node})
    assert "layer1/weights/read" not in {node.name for node in drawn.node}
    assert text.count('class="scope-view') == 1 + len({
        "/".join(node.name.split("/")[:depth]) for node in drawn.node
        for depth in range(1, node.name.count("/") + 1)})
    assert "? × 2" in text


WILD = ROOT.parent / "shared" / "wild"


@pytest.mark.parametrize("path", sorted(WILD.glob("*.pb")), ids=lambda path: path.stem[-40:])
def test_graphs_by_strangers_are_drawn(path: Path, tmp_path: Path, capsys: Captured) -> None:
    text = said(capsys, path, tmp_path / "graph.html")
    assert "nodes · " in text
    drawn = without_reads(graph.load_graph(path))
    require_whole((tmp_path / "graph.html").read_text(), {node.name for node in drawn.node})


def test_functions_become_scopes(tf: ModuleType) -> None:
    function = tf.function(lambda x: tf.split(x, 2)[1] + 1.0)
    concrete = function.get_concrete_function(tf.TensorSpec([4], tf.float32))
    graph_def = tf.compat.v1.GraphDef()
    name = concrete.function_def.signature.name
    graph_def.library.function.append(concrete.function_def)
    graph_def.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    graph_def.node.add(name="y", op=name, input=["x"])
    ours = GraphDef.FromString(graph_def.SerializeToString())
    nodes = {node.name: node for node in with_functions(ours).node}
    assert list(nodes)[:2] == ["x", "y"]
    inner = next(node for node in nodes.values() if node.op == "AddV2")
    assert inner.input[0] == f"{name}/split:1"
