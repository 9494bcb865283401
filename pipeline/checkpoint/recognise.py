"""What a path is: one of the formats of this pipeline, or something else, and then which.

Only names and the first bytes are looked at, so the answer is there at once.
"""

from __future__ import annotations

import enum
import glob
import os
import re
from dataclasses import dataclass

from pipeline.checkpoint.errors import NotFoundError, translated
from pipeline.checkpoint.names import checkpoint_exists
from pipeline.checkpoint.opening import checkpoint_prefix
from pipeline.checkpoint.table import MAGIC


class Kind(enum.Enum):
    """What can be described, and what can only be named."""

    CHECKPOINT = "TensorFlow V2 checkpoint"
    SAVED_MODEL = "TensorFlow SavedModel"
    STATE = "state file of a checkpoint directory"
    ORBAX = "orbax checkpoint"
    GRAPH = "TensorFlow graph"
    DIRECTORY = "directory"
    OTHER = "another file"


@dataclass(frozen=True)
class Recognised:
    """What was found; `path` is a prefix for a checkpoint, else a file or directory."""

    kind: Kind
    path: str
    note: str = ""


# (first bytes, what begins with them, what reads it)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras writes (.h5)"),
    (b"\x93NUMPY", "a NumPy array (.npy): numpy.load reads it"),
    (b"PK\x03\x04", "a zip archive, such as .npz, .keras or a PyTorch file"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"\x80", "a Python pickle, such as old PyTorch files: loading one runs code in it"),
    (b"\x89PNG", "a PNG picture"),
    (b"\x00\x00\x08", "an IDX file, as MNIST is stored in: `pipeline.data` reads it"),
    (b"%PDF", "a PDF document"),
)
SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_TEXT_GRAPH = re.compile(rb"\A\s*(#[^\n]*\n\s*)*(meta_info_def|graph_def|node|versions|library"
                         rb"|saved_model_schema_version)\s*[:{]")
_DATA_FILE = re.compile(r"\.data-\d{5}-of-\d{5}\Z")
_FIRST_BYTES = 4096


def recognise(path: str | os.PathLike[str]) -> Recognised:
    """What is at a path: a prefix, a file of a checkpoint, a directory, a graph, or else.

    Raises:
        NotFoundError: nothing is.
        PermissionDeniedError: it may not be read.
    """
    path = os.fspath(path)
    if checkpoint_exists(path):
        return Recognised(Kind.CHECKPOINT, path)
    if os.path.isdir(path):
        return _directory(path)
    if not os.path.exists(path):
        raise NotFoundError(f"{path}: there is no such file, directory or checkpoint prefix"
                            + _nearby(path))
    for prefix in (path.removesuffix(".index"), _DATA_FILE.sub("", path)):
        if prefix != path and checkpoint_exists(prefix):
            return Recognised(Kind.CHECKPOINT, prefix)
    return _file(path)


def _directory(path: str) -> Recognised:
    if any(os.path.exists(os.path.join(path, name)) for name in SAVED_MODEL_FILES):
        return Recognised(Kind.SAVED_MODEL, path)
    if is_orbax_step(path):
        return Recognised(Kind.ORBAX, path)
    try:
        return Recognised(Kind.CHECKPOINT, checkpoint_prefix(path),
                          f"the latest in {path}: {', '.join(_checkpoints_in(path))}")
    except NotFoundError:
        return Recognised(Kind.DIRECTORY, path, _contents(path))


def is_text_graph(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a graph in protobuf's text form."""
    return _TEXT_GRAPH.match(head) is not None


def is_orbax_step(path: str) -> bool:
    """Whether a directory is one complete orbax checkpoint."""
    return bool(orbax_trees(path)) or os.path.exists(os.path.join(path, "_CHECKPOINT_METADATA"))


def orbax_trees(path: str) -> list[str]:
    """The files that describe an orbax step's trees: its own, or one per item below it."""
    own = os.path.join(path, "_METADATA")
    if os.path.exists(own):
        return [own]
    return sorted(glob.glob(os.path.join(glob.escape(path), "*", "_METADATA")))


def _contents(path: str) -> str:
    """What in a directory could be asked for instead."""
    with translated(f"cannot read {path}"):
        names = sorted(os.listdir(path))
    steps = [name for name in names if is_orbax_step(os.path.join(path, name))]
    graphs = [name for name in names if name.endswith((".pb", ".pbtxt", ".meta"))]
    found = [*_checkpoints_in(path), *steps, *graphs]
    return f"holds {', '.join(found)}" if found else "holds nothing that is known here"


def _checkpoints_in(path: str) -> list[str]:
    with translated(f"cannot read {path}"):
        return sorted(name.removesuffix(".index") for name in os.listdir(path)
                      if name.endswith(".index"))


def _nearby(path: str) -> str:
    directory = os.path.dirname(path) or "."
    found = _checkpoints_in(directory) if os.path.isdir(directory) else []
    return f"; {directory} has the checkpoints {', '.join(found)}" if found else ""


def _file(path: str) -> Recognised:
    with translated(f"cannot read {path}"), open(path, "rb") as file:
        head = file.read(_FIRST_BYTES)
        file.seek(max(0, os.path.getsize(path) - len(MAGIC)))
        tail = file.read(len(MAGIC))
    if head.lstrip().startswith((b"model_checkpoint_path", b"all_model_checkpoint_paths")):
        return Recognised(Kind.STATE, path)
    if tail == MAGIC:
        return Recognised(Kind.OTHER, path, "a table: an .index of another name, or a V1 "
                                            "checkpoint of TensorFlow before 0.12, not read here")
    if _DATA_FILE.search(path):
        return Recognised(Kind.OTHER, path, "a data file of a checkpoint whose .index is missing; "
                                            "names and shapes are lost with that")
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return Recognised(Kind.OTHER, path, what)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < os.path.getsize(path):
        return Recognised(Kind.OTHER, path, "a safetensors file")
    if "tfevents" in os.path.basename(path):
        return Recognised(Kind.OTHER, path, "TensorBoard events: `tensorboard --logdir` shows them")
    if path.endswith((".pb", ".pbtxt", ".meta")) or is_text_graph(head):
        return Recognised(Kind.GRAPH, path)
    if not head:
        return Recognised(Kind.OTHER, path, "an empty file")
    text = b"\0" not in head
    return Recognised(Kind.OTHER, path, "a text file" if text else "of no format known here")
