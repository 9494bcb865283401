"""A run's hyperparameters as TensorBoard's HParams tab reads them, so that a sweep lies there.

Two values without numbers, of the plugin `hparams`: what the run was given, and that it ended. The
tab finds the run's metrics by itself: they are the scalars beside them. Source:
tensorboard/plugins/hparams/plugin_data.proto, api.proto, metadata.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_TENSOR, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)

from pipeline.report.content import Report
from pipeline.report.markup import printable

# What decides how a run turns out; the other sections say where and in what form it is kept.
_SECTIONS = ("dataset", "model", "optimizer", "schedule", "trainer", "seed")


def session(report: Report) -> list[Message]:
    """The Summary values of one run, which is a session of one."""
    start = SessionStartInfo(start_time_secs=report.started.timestamp())
    for name, value in hyperparameters(report.config_yaml).items():
        start.hparams[name].CopyFrom(_value(value))
    end = SessionEndInfo(status=STATUS_SUCCESS,
                         end_time_secs=report.started.timestamp() + report.seconds)
    return [
        _summary(metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=start)),
        _summary(metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end)),
    ]


def hyperparameters(config_yaml: str) -> dict[str, Any]:
    """The configuration's values by dotted key: numbers, truths and texts; null is left out."""
    try:
        config = yaml.safe_load(config_yaml)
    except yaml.YAMLError:      # text that YAML cannot hold, such as half of a surrogate pair
        return {}
    sections = config if isinstance(config, Mapping) else {}
    return dict(_leaves({key: sections[key] for key in _SECTIONS if key in sections}, ""))


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value


def _value(value: Any) -> Message:
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int | float):
        return Value(number_value=value)
    return Value(string_value=printable(str(value)))


def _summary(tag: str, data: Message) -> Message:
    data.version = metadata.PLUGIN_DATA_VERSION
    nothing = TensorProto(dtype=DT_FLOAT,
                          tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=0)]))
    content = data.SerializeToString(deterministic=True)
    return Summary.Value(tag=tag, tensor=nothing, metadata=SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content),
        data_class=DATA_CLASS_TENSOR))
