"""SavedModels: a MetaGraph chosen by its tags, its variables restored from beside it.

    saved_model.pb | saved_model.pbtxt    SavedModel: 1 schema version, 2 MetaGraphDef (repeated)
    variables/variables.*                 a checkpoint

Source: tensorflow/core/protobuf/saved_model.proto.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import DecodeError, Message
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline.execution.errors import ExecutionError
from pipeline.execution.imported import Graph
from pipeline.execution.importing import import_meta_graph
from pipeline.reading import read_bytes


def import_saved_model(
    directory: str | os.PathLike[str], tags: Iterable[str] = ("serve",)
) -> Graph:
    """A SavedModel as a graph with its variables restored and its `signatures`.

    Args:
        directory: what TensorFlow 1 or 2 exported.
        tags: of the MetaGraph that is wanted, all of them.

    Raises:
        ExecutionError: no SavedModel there, no MetaGraph with just these tags, or ops in it that
            restore its variables and are not supported.
        CheckpointError: the variables cannot be read.
    """
    path = Path(directory)
    wanted = set(tags)
    found = load_saved_model(path)
    matching = [each for each in found if set(each.meta_info_def.tags) == wanted]
    if not matching:
        sets = [sorted(each.meta_info_def.tags) for each in found]
        raise ExecutionError(f"{path}: no MetaGraph is tagged {sorted(wanted)}; there are {sets}")
    target = import_meta_graph(matching[0])
    if matching[0].HasField("object_graph_def"):
        target.object_graph = matching[0].object_graph_def
    if target.saver is not None:
        target.saver.restore(path / "variables" / "variables")
    return target


def load_saved_model(directory: str | os.PathLike[str]) -> list[Message]:
    """The MetaGraphDefs of a SavedModel.

    Raises:
        ExecutionError: the directory holds none, or a damaged one.
    """
    path = Path(directory)
    message = _saved_model_class()()
    try:
        if (path / "saved_model.pb").exists():
            message.ParseFromString(read_bytes(path / "saved_model.pb"))
        elif (path / "saved_model.pbtxt").exists():
            text_format.Parse(read_bytes(path / "saved_model.pbtxt").decode(), message)
        else:
            raise ExecutionError(f"{path}: no SavedModel; expected saved_model.pb in it")
    except OSError as error:
        raise ExecutionError(f"{path}: cannot be read: {error.strerror}") from None
    except (DecodeError, text_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise ExecutionError(f"{path}: damaged SavedModel: {error}") from None
    return list(message.meta_graphs)


@cache
def _saved_model_class() -> type[Message]:
    """The message class, which the protos at hand lack."""
    meta_graph = MetaGraphDef.DESCRIPTOR
    file = descriptor_pb2.FileDescriptorProto(
        name="jaxfrost/saved_model.proto", package="jaxfrost", syntax="proto3",
        dependency=[meta_graph.file.name])
    message = file.message_type.add(name="SavedModel")
    message.field.add(name="saved_model_schema_version", number=1, type="TYPE_INT64",
                      label="LABEL_OPTIONAL")
    message.field.add(name="meta_graphs", number=2, type="TYPE_MESSAGE", label="LABEL_REPEATED",
                      type_name=f".{meta_graph.full_name}")
    pool = descriptor_pool.Default()
    pool.Add(file)
    found: type[Message] = message_factory.GetMessageClass(
        pool.FindMessageTypeByName("jaxfrost.SavedModel"))
    return found
