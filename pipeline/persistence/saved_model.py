"""SavedModel in TensorFlow 1's form: a directory that a serving program loads as it is.

    saved_model.pb      SavedModel: 1 schema version = 1 | 2 MetaGraphDef
    fingerprint.pb      FingerprintDef: 1 checksum | 2 graph | 3 signatures | 5 checkpoint |
                        6 version | 7 uuid
    variables/          a checkpoint with the prefix `variables`

Source: tensorflow/core/protobuf/saved_model.proto, fingerprint.proto. Of the fingerprints, those of
signatures and checkpoint are computed as TensorFlow 2.21 does; checksum and graph are those of our
own serialised messages.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline import checkpoint
from pipeline.files import sync_directory, write_atomically
from pipeline.persistence.artifact import PersistenceError
from pipeline.persistence.farmhash import combine, fingerprint

SERVE = "serve"                # tensorflow/python/saved_model/tag_constants.py
_LIMIT = 1 << 31


def save_saved_model(
    directory: str | os.PathLike[str],
    meta_graph: Message,
    variables: Mapping[str, Any],
    *,
    tags: Sequence[str] = (SERVE,),
) -> list[Path]:
    """Writes a SavedModel directory; it appears complete or not at all.

    Args:
        directory: must not exist.
        meta_graph: with a Saver's nodes, `saver_def`, collections and signatures.
        variables: values by name.
        tags: what a loader asks for.

    Returns:
        The files written.

    Raises:
        PersistenceError: the directory exists, a variable of the graph has no value, or the graph
            takes 2 GiB or more.
    """
    target = Path(directory)
    if target.exists():
        raise PersistenceError(f"{target}: exists; a SavedModel gets a directory of its own")
    content = _encode(meta_graph, tags)
    temporary = target.parent / f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}"
    try:
        (temporary / "variables").mkdir(parents=True)
        prefix = temporary / "variables" / "variables"
        checkpoint.write_bundle(prefix, _values(meta_graph, variables))
        index = prefix.with_name("variables.index").read_bytes()
        write_atomically(temporary / "saved_model.pb", content)
        write_atomically(temporary / "fingerprint.pb", _fingerprints(content, meta_graph, index))
        sync_directory(temporary)
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_directory(target.parent)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _encode(meta_graph: Message, tags: Sequence[str]) -> bytes:
    tagged = MetaGraphDef()
    tagged.CopyFrom(meta_graph)
    tagged.meta_info_def.tags[:] = tags
    if (size := tagged.ByteSize()) >= _LIMIT:
        raise PersistenceError(f"SavedModel: its graph would take {size} bytes; no program reads "
                               "2 GiB or more: keep large constants in variables")
    body = tagged.SerializeToString(deterministic=True)
    return b"\x08\x01" + _field(2, body)


def _values(meta_graph: Message, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the graph's variables, sorted by name."""
    ops = ("VariableV2", "Variable", "VarHandleOp")
    names = sorted(node.name for node in meta_graph.graph_def.node if node.op in ops)
    missing = [name for name in names if name not in variables]
    if missing:
        raise PersistenceError(f"SavedModel: no values for the variables {', '.join(missing)}")
    return {name: variables[name] for name in names}


def _fingerprints(saved_model: bytes, meta_graph: Message, index: bytes) -> bytes:
    signatures = 0
    for key in sorted(meta_graph.signature_def):
        message = meta_graph.signature_def[key].SerializeToString(deterministic=True)
        signatures = combine(combine(signatures, fingerprint(key.encode())), fingerprint(message))
    graph = b"".join(_field(1, node.SerializeToString(deterministic=True))
                     for node in meta_graph.graph_def.node)
    hashes = {1: fingerprint(saved_model), 2: fingerprint(graph), 3: signatures,
              5: fingerprint(index)}
    encoded = b"".join(_varint(number << 3) + _varint(value) for number, value in hashes.items())
    unique = str(combine(hashes[1], hashes[5])).encode()
    return encoded + _field(6, b"\x08\x01") + _field(7, unique)   # version { producer: 1 }


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
