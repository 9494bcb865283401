"""Graph files of every kind and form: GraphDef, MetaGraphDef, SavedModel; binary, text, JSON."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline import checkpoint, graph
from pipeline.checkpoint.graph_summary import summarise_graph
from pipeline.checkpoint.recognise import SAVED_MODEL_FILES, graph_form
from pipeline.config.inspection import MetaGraphField
from pipeline.execution.saved_model import load_saved_model
from pipeline.reading import read_bytes

_FORMS = {"binary": "binary", "text": "protobuf text", "json": "JSON"}
_FIRST_FIELD = re.compile(r'(?:#[^\n]*\n|[\s{"])*(\w+)')
_OF_GRAPH_DEF = ("node", "versions", "library")


@dataclass(frozen=True)
class GraphFile:
    """What a graph file is and holds.

    Attributes:
        message: `GraphDef`, `MetaGraphDef` or `SavedModel`.
        form: `binary`, `protobuf text` or `JSON`.
        meta_graphs: its MetaGraphDefs; a GraphDef is the graph of one that has nothing else.
    """

    message: str
    form: str
    meta_graphs: tuple[Message, ...]


def load_graph_file(path: str | os.PathLike[str]) -> GraphFile:
    """The graphs in a file, or in a SavedModel's directory.

    Raises:
        GraphError, ExecutionError, CheckpointError: it holds none, or a damaged one.
    """
    file = Path(path)
    if file.is_dir():
        file = next(file / name for name in SAVED_MODEL_FILES if (file / name).is_file())
    with checkpoint.errors.translated(f"cannot read {file}"):
        content = read_bytes(file)
    form = graph_form(content)
    message = _message(content, form, file)
    if message == "SavedModel":
        if file.name not in SAVED_MODEL_FILES:
            raise graph.GraphError(f"{file}: holds a SavedModel, which is read by the names "
                                   f"{' and '.join(SAVED_MODEL_FILES)}; rename it")
        return GraphFile(message, _FORMS[form], tuple(load_saved_model(file.parent)))
    if message == "MetaGraphDef":
        return GraphFile(message, _FORMS[form], (graph.load_meta_graph(file),))
    return GraphFile(message, _FORMS[form], (MetaGraphDef(graph_def=graph.load_graph(file)),))


def _message(content: bytes, form: str, file: Path) -> str:
    if form == "binary":
        with checkpoint.errors.located(str(file)):
            return summarise_graph(content).message
    found = _FIRST_FIELD.match(content[:4096].decode("utf-8", "replace"))
    name = found[1] if found else ""
    if name in ("saved_model_schema_version", "meta_graphs"):
        return "SavedModel"
    return "GraphDef" if name in _OF_GRAPH_DEF else "MetaGraphDef"


def field_text(path: str, name: MetaGraphField, *, as_json: bool) -> str:
    """One field of the MetaGraphs at a path: a graph file, or a checkpoint with one beside it.

    It is written as a MetaGraphDef that has nothing else, in protobuf's text form or as JSON.

    Raises:
        GraphError, ExecutionError, CheckpointError: there is no MetaGraph.
    """
    written = []
    for meta_graph in load_graph_file(path).meta_graphs:
        alone = MetaGraphDef()
        for kept, value in meta_graph.ListFields():
            if kept.name == name:
                _copy(value, alone, name)
        text = text_format.MessageToString(alone).rstrip("\n") or f"# {name} is empty"
        written.append(graph.meta_graph_json(alone) if as_json else text)
    return "\n".join(written)


def _copy(value: object, target: Message, name: str) -> None:
    if isinstance(value, Message):
        getattr(target, name).CopyFrom(value)
        return
    getattr(target, name).MergeFrom(value)  # a map
