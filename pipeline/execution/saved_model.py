"""SavedModels: a MetaGraph chosen by its tags, its variables restored from beside it.

    saved_model.pb | saved_model.pbtxt    SavedModel: 1 schema version, 2 MetaGraphDef (repeated)
    variables/variables.*                 a checkpoint

Source: tensorflow/core/protobuf/saved_model.proto.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import DecodeError, Message
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline import graph
from pipeline.checkpoint import CheckpointReader
from pipeline.execution.errors import ExecutionError
from pipeline.execution.imported import Graph
from pipeline.execution.importing import import_meta_graph
from pipeline.execution.saved_objects import variable_paths
from pipeline.reading import read_bytes

_INITIALIZER = "__saved_model_init_op"    # saved_model/constants.py, INIT_OP_SIGNATURE_KEY


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
    prefix = path / "variables" / "variables"
    if target.saver is not None:
        target.saver.restore(prefix)
    if target.object_graph is not None:
        _restore_objects(target, prefix)
    _initialize(target, matching[0], path)
    return target


def _restore_objects(target: Graph, prefix: Path) -> None:
    """Restores what the Saver's nodes did not: variables that only the object graph knows."""
    missing = {name: variable for name, variable in target.variables.items()
               if name not in target.values}
    if not missing or not prefix.with_name("variables.index").exists():
        return
    reader = CheckpointReader(prefix)
    paths = variable_paths(target.object_graph, target.as_graph_def())
    for name, variable in missing.items():
        key = reader.key_of(paths[name]) if name in paths else None
        if key is not None:
            variable.set_value(reader.get_tensor(key))


def _initialize(target: Graph, meta_graph: Any, path: Path) -> None:
    """Fills the tables, as TensorFlow's loader does, with the assets where they lie now.

    What cannot be run is left: whatever needs it says that it is not initialized.
    """
    assets = {each.tensor_info.name: np.array(
        str(path / "assets" / each.filename).encode(), np.object_)
        for each in meta_graph.asset_file_def}
    for name in _initializers(meta_graph):
        if name in target and _leads_to_tables(target, name):
            with suppress(ExecutionError):
                target.run(name, {key: value for key, value in assets.items()
                                  if key.partition(":")[0] in target})


def _initializers(meta_graph: Any) -> list[str]:
    """The names of the operations that a MetaGraph wants run once it is loaded."""
    found = []
    if _INITIALIZER in meta_graph.signature_def:
        info = meta_graph.signature_def[_INITIALIZER].outputs.get(_INITIALIZER)
        found += [] if info is None else [info.name.partition(":")[0]]
    for key in ("saved_model_main_op", "legacy_init_op"):
        if key in meta_graph.collection_def:
            found += list(meta_graph.collection_def[key].node_list.value)
    return list(dict.fromkeys(found))


def _leads_to_tables(target: Graph, name: str) -> bool:
    """Whether an operation waits for something that the graph computes with tables."""
    nodes = target.as_graph_def().node
    found = graph.closure([name], graph.sources_of(nodes, control=True))
    return any("Table" in node.op for node in nodes if node.name in found)


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
