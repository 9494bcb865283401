"""TensorBoard's event file, written without TensorFlow: scalars, graph, configuration, hparams.

    file   : record…, little-endian; the first an Event with file_version "brain.Event:2"
    record : length uint64 | masked crc32c(length) uint32 | data | masked crc32c(data) uint32
    data   : an Event message (tensorboard/compat/proto/event.proto)

TensorBoard's own writer is not used: it imports TensorFlow where that is installed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from google.protobuf.message import Message
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_TENSOR, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING

from pipeline.checkpoint.crc import masked_crc
from pipeline.files import write_atomically
from pipeline.report import hparams
from pipeline.report.content import Report

# TensorBoard reads every file whose name has "tfevents" in it, in the order of their names
# (tensorboard/backend/event_processing/io_wrapper.py). One name: written again, it is replaced.
FILE_NAME = "events.out.tfevents.jaxfrost"
_VALUES_KEPT = 1024       # bytes of a constant that the graph tab could show


def write_events(report: Report, directory: Path) -> Path:
    """The whole event file of a run, put in place at once; the directory is made."""
    path = directory / FILE_NAME
    write_atomically(path, b"".join(_record(event) for event in _events(report)))
    return path


def _record(event: Message) -> bytes:
    data = event.SerializeToString(deterministic=True)
    length = struct.pack("<Q", len(data))
    return b"".join([length, struct.pack("<I", masked_crc(length)), data,
                     struct.pack("<I", masked_crc(data))])


def _events(report: Report) -> Iterator[Message]:
    """Wall times between start and end of the run are in proportion to the steps."""
    start = report.started.timestamp()
    last = max((interval.step for interval in report.history), default=0)
    yield Event(wall_time=start, file_version="brain.Event:2")
    if report.graph_def is not None:
        graph = without_values(report.graph_def)
        yield Event(wall_time=start, graph_def=graph.SerializeToString(deterministic=True))
    environment = "\n".join(f"{name}: {value}" for name, value in report.environment.items())
    yield Event(wall_time=start, summary=Summary(value=[
        _text("config", report.config_yaml), _text("environment", environment),
        *hparams.session(report)]))
    for interval in report.history:
        yield _scalars(start + report.seconds * interval.step / max(last, 1), interval.step, {
            "train/loss": interval.loss,
            "train/accuracy": interval.accuracy,
            "train/learning_rate": interval.learning_rate,
            "train/examples_per_second": interval.examples_per_second,
            "validation/loss": interval.validation_loss,
            "validation/accuracy": interval.validation_accuracy,
        })
    if report.evaluation is not None:
        yield _scalars(start + report.seconds, last, {
            "test/loss": report.evaluation.loss, "test/accuracy": report.evaluation.accuracy})


def _scalars(wall_time: float, step: int, values: Mapping[str, float | None]) -> Message:
    """TF1's `simple_value`, which every TensorBoard reads; None was not measured."""
    return Event(wall_time=wall_time, step=step, summary=Summary(value=[
        Summary.Value(tag=tag, simple_value=value)
        for tag, value in values.items() if value is not None]))


def _text(tag: str, content: str) -> Message:
    """For the text tab, which takes it for Markdown: indented by four it stays as it is."""
    indented = "\n".join(f"    {line}" for line in content.splitlines())
    return Summary.Value(
        tag=tag,
        tensor=TensorProto(dtype=DT_STRING, string_val=[indented.encode("utf-8", "replace")]),
        metadata=SummaryMetadata(
            plugin_data=SummaryMetadata.PluginData(plugin_name="text"),
            data_class=DATA_CLASS_TENSOR),
    )


def without_values(graph_def: Message) -> Message:
    """A copy whose constants keep dtype and shape but not many values: no tab shows them."""
    shown = GraphDef()
    shown.CopyFrom(graph_def)
    for node in shown.node:
        if node.op == "Const" and node.attr["value"].tensor.ByteSize() > _VALUES_KEPT:
            tensor = node.attr["value"].tensor
            node.attr["value"].tensor.CopyFrom(
                TensorProto(dtype=tensor.dtype, tensor_shape=tensor.tensor_shape))
    return shown
