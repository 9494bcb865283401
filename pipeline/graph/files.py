"""GraphDef and MetaGraphDef on disk: binary, text or JSON, whichever the file is.

Reading tries binary first and text second, as TensorFlow does
(tensorflow/python/framework/meta_graph.py, `read_meta_graph_file`).
"""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf import json_format, text_format
from google.protobuf.message import DecodeError, EncodeError, Message
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline.files import write_atomically
from pipeline.graph.errors import GraphError, GraphFileNotFound
from pipeline.reading import read_bytes

_LIMIT = 1 << 31   # protobuf parses no message of 2 GiB or more


def load_graph(path: str | os.PathLike[str]) -> Message:
    """The GraphDef in a file, binary, text or JSON.

    Raises:
        GraphError: the file is absent, 2 GiB or larger, or holds no GraphDef.
    """
    graph_def = _load(path, GraphDef)
    if any(not node.op for node in graph_def.node):
        raise GraphError(f"{path}: no GraphDef: a node has no op; a MetaGraph is read with "
                         "load_meta_graph, a SavedModel by its directory")
    return graph_def


def load_meta_graph(path: str | os.PathLike[str]) -> Message:
    """The MetaGraphDef in a `.meta` file, binary, text or JSON.

    Raises:
        GraphError: the file is absent, 2 GiB or larger, or holds no MetaGraphDef.
    """
    meta_graph = _load(path, MetaGraphDef)
    if any(not node.op for node in meta_graph.graph_def.node):
        raise GraphError(f"{path}: no MetaGraphDef: a node of its graph has no op")
    return meta_graph


def save_graph(
    graph_def: Message, path: str | os.PathLike[str], *, as_text: bool = False
) -> None:
    """Writes a GraphDef; a crash leaves the former file or the new one, never a part.

    Raises:
        GraphError: the message would take 2 GiB or more.
    """
    _save(graph_def, path, as_text)


def save_meta_graph(
    meta_graph: Message, path: str | os.PathLike[str], *, as_text: bool = False
) -> None:
    """Writes a MetaGraphDef; a crash leaves the former file or the new one, never a part.

    Raises:
        GraphError: the message would take 2 GiB or more.
    """
    _save(meta_graph, path, as_text)


def _load(path: str | os.PathLike[str], kind: type[Message]) -> Message:
    file = Path(path)
    if not file.exists() or file.is_dir():
        found = "It is a directory; a SavedModel is read by import_saved_model." \
            if file.is_dir() else ""
        raise GraphFileNotFound(f"File does not exist. Received: {path}. {found}".rstrip())
    size = file.stat().st_size
    if size >= _LIMIT:
        raise GraphError(f"{path}: {size} bytes; no {kind.DESCRIPTOR.name} reaches 2 GiB")
    try:
        content = read_bytes(file)
    except OSError as error:
        raise GraphError(f"{path}: cannot be read: {error.strerror}") from None
    message = kind()
    try:
        message.ParseFromString(content)
        if not content or message.ListFields():
            return message
        binary: Exception = DecodeError("none of its fields is known")
    except DecodeError as error:
        binary = error
    message = kind()
    parse = json_format.Parse if content.lstrip().startswith(b"{") else text_format.Parse
    try:
        parse(_text_of(content), message)
    except (text_format.ParseError, json_format.ParseError, UnicodeDecodeError,
            RecursionError) as error:
        raise GraphError(f"{path}: no {kind.DESCRIPTOR.name}{_what_else(content)}: as binary: "
                         f"{binary}; as text: {str(error)[:200]}") from None
    return message


def _text_of(content: bytes) -> str:
    """Text as UTF-8, with or without a byte order mark.

    Raises:
        UnicodeDecodeError: it is not; UTF-16 is named, since editors on Windows write it.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnicodeDecodeError("utf-8", content, 0, 2, "this is UTF-16; expected UTF-8: save the "
                                 "file in that encoding")
    return content.decode("utf-8-sig")


def _what_else(content: bytes) -> str:
    """What reads the bytes instead, where one of the neighbours does."""
    for kind, reader in ((GraphDef, "load_graph"), (MetaGraphDef, "load_meta_graph")):
        try:
            found = kind.FromString(content)
        except DecodeError:
            continue
        nodes = found.node if kind is GraphDef else found.graph_def.node
        if nodes and all(node.op for node in nodes):
            return f" but what {reader} reads"
    return ""


def _save(message: Message, path: str | os.PathLike[str], as_text: bool) -> None:
    size = message.ByteSize()
    if size >= _LIMIT:
        raise GraphError(f"{path}: {message.DESCRIPTOR.name} would take {size} bytes; no program "
                         "reads 2 GiB or more: keep the variables in a checkpoint instead")
    if as_text:
        write_atomically(path, text_format.MessageToString(message).encode())
        return
    try:
        write_atomically(path, message.SerializeToString(deterministic=True))
    except EncodeError as error:
        raise GraphError(f"{path}: cannot be serialised: {error}") from None
