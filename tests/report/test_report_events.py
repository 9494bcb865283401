"""The event file, read by TensorBoard (both its readers) and by TensorFlow."""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from finished_run import CONFIG, evaluation, finished_run, graph, history, split
from google.protobuf import text_format
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.report import Report
from pipeline.report.events import FILE_NAME, without_values, write_events

TRAINING = ["train/loss", "train/accuracy", "train/learning_rate", "train/examples_per_second"]


def read_with_tensorflow(tf: ModuleType, path: Path) -> list[Any]:
    """TensorFlow's reader checks both checksums of each record."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(tf.compat.v1.train.summary_iterator(str(path)))


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run") / "tensorboard"
    write_events(finished_run(config_yaml=f"{CONFIG}tick: '```'\nhtml: <b>*x*</b>\n"), directory)
    return directory


@pytest.mark.parametrize("reader", ["python", "rust"])
def test_tensorboard_shows_scalars_texts_and_the_graph(logdir: Path, reader: str) -> None:
    program = Path(__file__).with_name("read_with_tensorboard.py")
    finished = subprocess.run([sys.executable, program, logdir, reader],
                              capture_output=True, text=True, check=True)
    shown = json.loads(finished.stdout)
    assert shown["runs"] == ["."]
    assert set(shown["scalars"]) == {*TRAINING, "validation/loss", "validation/accuracy",
                                     "test/loss", "test/accuracy"}
    expected = [(found.step, found.loss) for found in finished_run().history]
    assert [(step, value) for _, step, value in shown["scalars"]["train/loss"]] == [
        (step, pytest.approx(loss)) for step, loss in expected]
    validated = [step for _, step, _ in shown["scalars"]["validation/loss"]]
    assert validated == [200, 400, 600, 800, 1000, 1200]
    [[_, step, accuracy]] = shown["scalars"]["test/accuracy"]
    assert (step, accuracy) == (1200, pytest.approx(0.88))
    assert set(shown["texts"]) == {"config", "environment"}
    assert "tick: '```'\nhtml: &lt;b&gt;*x*&lt;/b&gt;" in shown["texts"]["config"]
    drawn = text_format.Parse(shown["graph"], GraphDef())
    assert [(node.name, node.op, *node.input) for node in drawn.node] == [
        (node.name, node.op, *node.input) for node in graph().node]


def test_tensorflow_reads_every_record(tf: ModuleType, logdir: Path) -> None:
    events = read_with_tensorflow(tf, logdir / FILE_NAME)
    assert events[0].file_version == "brain.Event:2"
    scalars = {(value.tag, event.step): value.simple_value for event in events
               for value in event.summary.value if value.HasField("simple_value")}
    assert len(scalars) == 12 * 4 + 6 * 2 + 2
    assert scalars["train/learning_rate", 300] == pytest.approx(0.8 * 0.99**3)
    [drawn] = [event.graph_def for event in events if event.graph_def]
    assert len(tf.compat.v1.GraphDef.FromString(drawn).node) == 4
    assert [event.wall_time for event in events] == sorted(event.wall_time for event in events)


def test_the_bytes_of_a_record(tmp_path: Path) -> None:
    empty = finished_run(history=[], evaluation=None, graph_def=None, config_yaml="",
                         environment={})
    content = write_events(empty, tmp_path).read_bytes()
    # Event{wall_time (field 1, fixed64), file_version (field 3) "brain.Event:2"}; checksums as
    # TensorFlow writes them for these bytes.
    data = b"\x09" + struct.pack("<d", empty.started.timestamp()) + b"\x1a\x0dbrain.Event:2"
    assert content[:12] == struct.pack("<Q", 24) + bytes.fromhex("a37f4b22")
    assert content[12:36] == data


@pytest.mark.parametrize("changes", [
    {"history": []},
    {"history": history(1, step=0)},
    {"history": history(2, loss=math.nan)},
    {"evaluation": None},
    {"graph_def": None},
    {"config_yaml": "a: '\ud800'\n"},
], ids=str)
def test_runs_with_little_in_them(tf: ModuleType, tmp_path: Path, changes: dict[str, Any]) -> None:
    report: Report = finished_run(**changes)
    events = read_with_tensorflow(tf, write_events(report, tmp_path))
    tags = {value.tag for event in events for value in event.summary.value}
    assert {"config", "environment"} <= tags
    assert ("train/loss" in tags) == bool(report.history)
    assert ("test/loss" in tags) == (report.evaluation is not None)


def test_large_constants_leave_their_values_out() -> None:
    given = graph()
    shown = without_values(given)
    weights, small = (next(node for node in shown.node if node.name == name).attr["value"].tensor
                      for name in ("layer1/weights", "small"))
    assert [size.size for size in weights.tensor_shape.dim] == [784, 500]
    assert not weights.tensor_content
    assert small.tensor_content
    assert shown.ByteSize() < 1000 < given.ByteSize(), "and the given graph is left as it was"


def test_written_again_the_file_is_replaced(tf: ModuleType, tmp_path: Path) -> None:
    write_events(finished_run(), tmp_path)
    _, digits = split(10)
    write_events(finished_run(history=[], evaluation=evaluation(digits, 0)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert len(read_with_tensorflow(tf, tmp_path / FILE_NAME)) == 4
