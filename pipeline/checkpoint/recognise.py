"""What a path is: one of the formats of this pipeline, or something else, and then which.

Only names and the first bytes are looked at, so the answer is there at once.
"""

from __future__ import annotations

import enum
import os
import re
from dataclasses import dataclass
from typing import Literal

from pipeline.checkpoint.errors import DataLossError, NotFoundError, translated
from pipeline.checkpoint.foreign import foreign_format
from pipeline.checkpoint.graph_summary import summarise_graph
from pipeline.checkpoint.names import checkpoint_exists
from pipeline.checkpoint.opening import checkpoint_prefix
from pipeline.checkpoint.orbax_tree import is_orbax_step
from pipeline.checkpoint.table import MAGIC
from pipeline.reading import open_file, read_bytes


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

    @property
    def what(self) -> str:
        """To be read on after "is", where something else was wanted."""
        if self.kind is Kind.DIRECTORY:
            return f"a directory that {self.note}"
        return self.note or f"a{'n' if self.kind is Kind.ORBAX else ''} {self.kind.value}"


SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
GRAPH_SUFFIXES = (".pb", ".pbtxt", ".meta")
_FIELD = (rb"(meta_info_def|graph_def|saver_def|collection_def|signature_def|node|versions|library"
          rb"|saved_model_schema_version|meta_graphs)")
_TEXT_GRAPH = re.compile(rb"\A\s*(#[^\n]*\n\s*)*" + _FIELD + rb"\s*[:{]")
_JSON_GRAPH = re.compile(rb'\A\s*\{\s*"' + _FIELD + rb'"\s*:\s*[\[{"]')
_DATA_FILE = re.compile(r"\.data-\d{5}-of-\d{5}\Z")
_FIRST_BYTES = 4096
_LARGEST_MESSAGE = 1 << 31  # protobuf's own limit


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
    if _is_saved_model(path):
        return Recognised(Kind.SAVED_MODEL, path)
    if is_orbax_step(path):
        return Recognised(Kind.ORBAX, path)
    try:
        prefix = checkpoint_prefix(path)
    except NotFoundError:
        return _latest_step(path) or Recognised(Kind.DIRECTORY, path, _contents(path))
    return Recognised(Kind.CHECKPOINT, prefix, f"the latest in {path}, which {_contents(path)}")


def _latest_step(path: str) -> Recognised | None:
    """The last step of a directory that holds orbax steps: `390`, `step_390`, `checkpoint_390`."""
    steps = {name: int(digits[0]) for name in _names(path)
             if (digits := re.search(r"\d+\Z", name))
             and is_orbax_step(os.path.join(path, name))}
    if not steps:
        return None
    latest = max(steps, key=lambda name: steps[name])
    return Recognised(Kind.ORBAX, os.path.join(path, latest),
                      f"the latest in {path}, which {_contents(path)}")


def graph_form(head: bytes) -> Literal["text", "json", "binary"]:
    """How a graph is written whose file begins with these bytes: if nothing else, binary."""
    if _TEXT_GRAPH.match(head) is not None:
        return "text"
    return "json" if _JSON_GRAPH.match(head) is not None else "binary"


def _contents(path: str) -> str:
    """What in a directory could be asked for instead."""
    found = _checkpoints_in(path)
    for name in _names(path):
        inside = os.path.join(path, name)
        if name.endswith(GRAPH_SUFFIXES):
            found.append(name)
        elif os.path.isdir(inside) and (
                is_orbax_step(inside) or _is_saved_model(inside) or _latest_step(inside)):
            found.append(f"{name}/")
    return f"holds {', '.join(found)}" if found else "holds nothing that is known here"


def _is_saved_model(path: str) -> bool:
    return any(os.path.exists(os.path.join(path, name)) for name in SAVED_MODEL_FILES)


def _names(path: str) -> list[str]:
    with translated(f"cannot read {path}"):
        return sorted(os.listdir(path))


def _checkpoints_in(path: str) -> list[str]:
    return [name.removesuffix(".index") for name in _names(path) if name.endswith(".index")]


def _nearby(path: str) -> str:
    directory = os.path.dirname(path) or "."
    found = _checkpoints_in(directory) if os.path.isdir(directory) else []
    return f"; {directory} has the checkpoints {', '.join(found)}" if found else ""


def _file(path: str) -> Recognised:
    with translated(f"cannot read {path}"), open_file(path) as file:
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
    foreign = foreign_format(path, head) if graph_form(head) == "binary" else None
    if foreign is None and (path.endswith(GRAPH_SUFFIXES) or _holds_graph(path, head)):
        return Recognised(Kind.GRAPH, path)
    return Recognised(Kind.OTHER, path, foreign or "of no format known here")


def _holds_graph(path: str, head: bytes) -> bool:
    """Whether a file whose name does not say so is a graph."""
    if graph_form(head) != "binary":
        return True
    if os.path.getsize(path) >= _LARGEST_MESSAGE:
        return False
    with translated(f"cannot read {path}"):
        content = read_bytes(path)
    try:
        summarise_graph(content)
    except DataLossError:
        return False
    return True
