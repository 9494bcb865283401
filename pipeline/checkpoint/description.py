"""What is in a file or directory: what `python -m pipeline.checkpoint` and `task=inspect` print."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from pipeline import dtypes
from pipeline.checkpoint.errors import CheckpointError, located, translated
from pipeline.checkpoint.graph_summary import summarise_graph
from pipeline.checkpoint.names import checkpoint_exists
from pipeline.checkpoint.opening import saved_model_prefix
from pipeline.checkpoint.orbax_tree import orbax_leaves
from pipeline.checkpoint.reader import CheckpointReader
from pipeline.checkpoint.recognise import (
    SAVED_MODEL_FILES,
    Kind,
    Recognised,
    graph_form,
    recognise,
)
from pipeline.checkpoint.state import CheckpointState
from pipeline.checkpoint.statistics import Statistics, compute_statistics
from pipeline.checkpoint.step_record import tell_check
from pipeline.reading import read_bytes


@dataclass(frozen=True)
class TensorInfo:
    """One tensor: sizes in bytes; `damage` says why it cannot be read, where that was checked."""

    name: str
    dtype: str | None
    shape: tuple[int, ...] | None
    size: int | None
    slices: int = 0
    statistics: Statistics | None = None
    damage: str | None = None


@dataclass(frozen=True)
class Description:
    """What a path is and holds; `notes` and `damage` are lines about the whole."""

    path: str
    kind: Kind
    notes: tuple[str, ...] = ()
    tensors: tuple[TensorInfo, ...] = field(default=())
    damage: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing that was looked at is damaged."""
        return not self.damage and not self.damaged

    @property
    def damaged(self) -> tuple[TensorInfo, ...]:
        """The tensors that cannot be read."""
        return tuple(tensor for tensor in self.tensors if tensor.damage)

    def to_json(self) -> str:
        """All of it as a JSON object."""
        import json

        return json.dumps({**asdict(self), "kind": self.kind.value}, indent=1, ensure_ascii=False)


def describe(
    path: str | os.PathLike[str], *, verify: bool = False, statistics: bool = False
) -> Description:
    """What is at a path: a checkpoint by prefix, file or directory, a SavedModel, an orbax step, a
    graph, or else what kind of file it is.

    Args:
        path: of any of these.
        verify: read every tensor and compare its checksum; damage is told for each.
        statistics: read every tensor and compute figures of its values.

    Raises:
        NotFoundError: nothing is there.
        DataLossError: it is of a known format, and damaged beyond listing.
        PermissionDeniedError: it may not be read.
    """
    found = recognise(path)
    if found.kind is Kind.ORBAX:
        tensors = tuple(TensorInfo(leaf.name, None, leaf.shape, None)
                        for leaf in orbax_leaves(found.path))
        notes, damage = tell_check(found.path, content=verify)
        return Description(found.path, found.kind, (*_notes(found), *notes), tensors, damage)
    notes = tuple(_notes(found))
    prefix = found.path
    if found.kind is Kind.SAVED_MODEL:
        prefix = saved_model_prefix(found.path)
    if not checkpoint_exists(prefix):
        return Description(found.path, found.kind, notes)
    reader = CheckpointReader(prefix, salvage=True)
    tensors = tuple(_tensor(reader, name, verify, statistics) for name in reader)
    return Description(prefix, found.kind, notes, tensors)


def _tensor(reader: CheckpointReader, name: str, verify: bool, statistics: bool) -> TensorInfo:
    entry, figures, damage = reader.entry(name), None, reader.damage(name)
    if (verify or statistics) and damage is None:
        try:
            array = reader.get_tensor(name)
            figures = compute_statistics(array) if statistics else None
        except CheckpointError as error:
            damage = str(error)
    return TensorInfo(name, dtypes.name(entry.dtype), entry.shape, reader.size(name),
                      len(entry.slices), figures, damage)


def _notes(found: Recognised) -> Iterator[str]:
    if found.note:
        yield found.note
    if found.kind is Kind.STATE:
        with located(found.path):
            state = CheckpointState.decode(_content(found.path))
        yield f"latest: {state.model_checkpoint_path}"
        yield from (f"kept: {path}" for path in state.all_model_checkpoint_paths)
    elif found.kind is Kind.GRAPH:
        yield from _graph_notes(found.path)
    elif found.kind is Kind.SAVED_MODEL:
        for name in SAVED_MODEL_FILES:
            if os.path.exists(os.path.join(found.path, name)):
                yield from _graph_notes(os.path.join(found.path, name))


def _graph_notes(path: str) -> Iterator[str]:
    content = _content(path)
    form = graph_form(content)
    if form != "binary":
        yield f"in {'protobuf text' if form == 'text' else 'JSON'}; `task=inspect` reads it"
        return
    with located(path):
        summary = summarise_graph(content)
    yield f"a {summary.message}"
    yield from summary.lines()


def _content(path: str) -> bytes:
    with translated(f"cannot read {path}"):
        return read_bytes(path)
