"""Reading a tensor bundle: the index at once, a tensor when it is asked for.

Data files are mapped, so a tensor is a view of the file; its bytes are verified when they are first
touched. Sizes are compared at opening: a data file that was cut short is refused there.
"""

from __future__ import annotations

import functools
import math
import mmap
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import budget, dtypes
from pipeline.checkpoint import crc, ordered_code
from pipeline.checkpoint.entry import Entry, Shape
from pipeline.checkpoint.errors import (
    CheckpointError,
    DataLossError,
    NotFoundError,
    UnimplementedError,
    located,
    translated,
)
from pipeline.checkpoint.index import index_identity, read_index
from pipeline.checkpoint.names import data_path, encode_name
from pipeline.checkpoint.object_graph import GRAPH_KEY, ObjectGraph
from pipeline.checkpoint.slices import Part, PartitionedTensor, slice_shape
from pipeline.checkpoint.strings import decode_strings
from pipeline.reading import open_file

_OBJECT_BYTES = 200  # that a node of the object graph takes for each byte of its message, at most
_STRING_BYTES = 96  # that a short string takes in an object array, while it is decoded


class CheckpointReader(Mapping[str, NDArray[Any]]):
    """The tensors of one checkpoint by name, as a mapping and with TensorFlow's own methods.

    `reader["layer1/weights"]` is a read-only array over the mapped file. The files may be replaced
    or removed while the reader lives; it keeps what it opened.

    Args:
        prefix: the checkpoint's path without `.index`.
        salvage: open although data files are missing or short, for the tensors that are whole.

    Raises:
        NotFoundError: no checkpoint at `prefix`, or a data file is missing.
        DataLossError: the index is damaged, or a data file is too short for it.
        UnimplementedError: a V1 or big-endian checkpoint, or one for a newer reader.
    """

    def __init__(self, prefix: str | os.PathLike[str], *, salvage: bool = False) -> None:
        self.prefix = os.fspath(prefix)
        self._verified: set[Entry] = set()
        while True:
            before = index_identity(self.prefix)
            self._index = read_index(self.prefix)
            self._shards: dict[int, NDArray[np.uint8]] = {}
            self._lost = self._open_data()
            if index_identity(self.prefix) == before:
                break  # else a writer replaced the checkpoint meanwhile: data may be of another
        if self._lost and not salvage:
            raise next(iter(self._lost.values()))

    def get_tensor(self, name: str) -> NDArray[Any]:
        """The tensor of that name: read-only; strings as an object array of `bytes`.

        In a TensorFlow 2 checkpoint or SavedModel the name may be a variable's path within the
        object that was saved (`model/layers/0/kernel`), or the full name that it had.

        Raises:
            NotFoundError: there is none.
            DataLossError: its bytes were changed, or its slices leave holes.
            UnimplementedError: its dtype has no NumPy counterpart.
        """
        key = self._find(name)
        if key in self._lost:
            raise self._lost[key]
        entry = self._index.tensors[key]
        with located(f"{self.prefix}: {key}"):
            if entry.slices:
                return self._assemble(key, entry)
            return self._read(entry)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shape of each tensor."""
        return {name: list(entry.shape) for name, entry in self._index.tensors.items()}

    def get_variable_to_dtype_map(self) -> dict[str, np.dtype[Any]]:
        """The NumPy dtype of each tensor; `object` for strings and for what NumPy cannot hold."""
        return {name: _numpy_or_object(entry) for name, entry in self._index.tensors.items()}

    def has_tensor(self, name: str) -> bool:
        """Whether `get_tensor` would find that name."""
        return self.key_of(name) is not None

    def debug_string(self) -> bytes:
        """A line `name (DT_FLOAT) [2,3]` for each tensor, as bytes, as TensorFlow returns it."""
        return b"".join(
            encode_name(f"{name} ({dtypes.name(entry.dtype)}) {_brackets(entry.shape)}\n")
            for name, entry in self._index.tensors.items()
        )

    def verify(self) -> None:
        """Reads everything once.

        Raises:
            DataLossError: the text names every tensor that is damaged, not only the first.
        """
        damaged = []
        for name in self:
            try:
                self.get_tensor(name)
            except UnimplementedError:
                continue
            except CheckpointError as error:
                damaged.append(str(error))
        if damaged:
            raise DataLossError("\n".join(damaged))

    def entry(self, name: str) -> Entry:
        """What the index says of a tensor.

        Raises:
            NotFoundError: there is none of that name.
        """
        return self._index.tensors[self._find(name)]

    def size(self, name: str) -> int:
        """The bytes that a tensor takes in the data files; raises as `entry` does."""
        key = self._find(name)
        entry = self._index.tensors[key]
        return sum(part.size for part in self._slices(key)) if entry.slices else entry.size

    def damage(self, name: str) -> str | None:
        """Why a tensor cannot be read, when that was found at opening with `salvage`."""
        return str(self._lost[name]) if name in self._lost else None

    def variable_paths(self) -> dict[str, str]:
        """The stored key of each variable's path; empty for a checkpoint without objects."""
        return dict(self._objects.keys)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """`get_tensor`, with the `KeyError` that mappings raise."""
        if name not in self:
            raise KeyError(name)
        return self.get_tensor(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has_tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._index.tensors)

    def __len__(self) -> int:
        return len(self._index.tensors)

    def __repr__(self) -> str:
        return f"CheckpointReader({self.prefix!r}, {len(self)} tensors)"

    def key_of(self, name: str) -> str | None:
        """The stored key that a name stands for: itself, or that of a variable by path."""
        if name in self._index.tensors or GRAPH_KEY not in self._index.tensors:
            return name if name in self._index.tensors else None
        found = self._objects.find(name)
        return found if found in self._index.tensors else None

    def _find(self, name: str) -> str:
        key = self.key_of(name)
        if key is None:
            bare = str(name).removesuffix(":0")
            hint = f"; keys have no output index: {bare!r}" if bare in self._index.tensors else ""
            raise NotFoundError(f"Key {name} not found in checkpoint {self.prefix}{hint}")
        return key

    @functools.cached_property
    def _objects(self) -> ObjectGraph:
        if GRAPH_KEY not in self._index.tensors:
            return ObjectGraph(b"")
        found = self.get_tensor(GRAPH_KEY)
        with located(f"{self.prefix}: {GRAPH_KEY}"):
            if found.shape != () or found.dtype != np.object_:
                raise DataLossError("is no scalar string")
            message: bytes = found.item()
            budget.current().require(len(message) * _OBJECT_BYTES, "objects")
            return ObjectGraph(message)

    def _open_data(self) -> dict[str, CheckpointError]:
        """Maps the data files and compares their sizes; returns what is wrong with each tensor."""
        lost: dict[str, CheckpointError] = {}
        for name, entry in self._index.tensors.items():
            try:
                with located(f"{self.prefix}: {name}"):
                    for part in self._slices(name) if entry.slices else [entry]:
                        _check_size(part)
                        self._check_place(part)
            except CheckpointError as error:
                lost[name] = error
        return lost

    def _slices(self, name: str) -> list[Entry]:
        """The entries of a partitioned tensor's slices, in stored order."""
        whole, found = self._index.tensors[name], []
        for extents in whole.slices:
            key = ordered_code.slice_key(encode_name(name), extents)
            entry = self._index.slices.get(key)
            if entry is None:
                raise DataLossError(f"slice {extents} is missing")
            if entry.dtype != whole.dtype or entry.shape != slice_shape(extents, whole.shape):
                raise DataLossError(f"slice {extents} is {entry.shape} of dtype {entry.dtype}; the "
                                    f"whole is {whole.shape} of dtype {whole.dtype}")
            found.append(entry)
        return found

    def _assemble(self, name: str, entry: Entry) -> NDArray[Any]:
        slices = self._slices(name)
        if sum(part.size for part in slices) > sum(map(len, self._shards.values())):
            raise DataLossError("its slices hold more bytes than the data files")
        budget.current().require(2 * sum(part.size for part in slices), "the whole of its slices")
        parts = zip(entry.slices, slices, strict=True)
        return PartitionedTensor(
            entry.shape, tuple(Part(extents, self._read(part)) for extents, part in parts)
        ).assemble()

    def _check_place(self, entry: Entry) -> None:
        """The data file exists and is long enough."""
        if entry.shard >= self._index.header.num_shards:
            raise DataLossError(f"lies in data file {entry.shard} of "
                                f"{self._index.header.num_shards}")
        if entry.shard not in self._shards:
            self._shards[entry.shard] = _map(
                data_path(self.prefix, entry.shard, self._index.header.num_shards)
            )
        held, needed = len(self._shards[entry.shard]), entry.offset + entry.size
        if held < needed:
            raise DataLossError(f"needs {needed} bytes of data file {entry.shard}, which was cut "
                                f"short: it has {held}")

    def _read(self, entry: Entry) -> NDArray[Any]:
        raw = self._shards[entry.shard][entry.offset : entry.offset + entry.size]
        if entry.dtype == dtypes.NUMBER["STRING"]:
            count = math.prod(entry.shape)
            budget.current().require(entry.size + min(count, entry.size) * _STRING_BYTES, "strings")
            return decode_strings(raw.tobytes(), entry.shape, count, entry.crc)
        try:
            array = raw.view(dtypes.to_numpy(entry.dtype)).reshape(entry.shape)
        except TypeError as error:
            raise UnimplementedError(str(error)) from None
        except ValueError as error:  # more dimensions or elements than NumPy can count
            raise DataLossError(f"shape {entry.shape}: {error}") from None
        if entry not in self._verified:
            found = crc.masked_crc(raw)
            if found != entry.crc:
                stored, found = crc.unmask(entry.crc), crc.unmask(found)
                raise DataLossError(f"Checksum does not match: stored {stored} vs. calculated "
                                    f"on the restored bytes {found}")
            self._verified.add(entry)
        return array


NewCheckpointReader = CheckpointReader  # its name in TensorFlow 1


def _brackets(shape: Shape) -> str:
    return f"[{','.join(map(str, shape))}]"


def _map(path: str) -> NDArray[np.uint8]:
    """The bytes of a data file, mapped; they stay readable when the file is replaced."""
    with translated(f"cannot read {path}"), open_file(path) as file:
        if os.fstat(file.fileno()).st_size == 0:
            return np.empty(0, np.uint8)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


def _check_size(entry: Entry) -> None:
    """The stored size is that of the shape and dtype."""
    try:
        dtype = dtypes.to_numpy(entry.dtype)
    except TypeError:
        return
    expected = math.prod(entry.shape) * dtype.itemsize
    if dtype != np.object_ and expected != entry.size:
        raise DataLossError(f"Invalid size in bundle entry: {entry.size} bytes; shape "
                            f"{entry.shape} of {dtype} takes {expected}")


def _numpy_or_object(entry: Entry) -> np.dtype[Any]:
    try:
        return dtypes.to_numpy(entry.dtype)
    except TypeError:
        return np.dtype(np.object_)
