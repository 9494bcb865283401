"""Writing a tensor bundle: `P.data-?????-of-?????`, then `P.index`.

Without alignment the files are byte for byte what TensorFlow's SaveV2 writes for the same tensors.
A reader that comes at any moment, or after a crash, finds the old bundle or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.checkpoint import files, ordered_code
from pipeline.checkpoint.data_file import Placed, write_data
from pipeline.checkpoint.entry import HEADER_KEY, Entry, Header
from pipeline.checkpoint.errors import InvalidArgumentError, InvalidTypeError, translated
from pipeline.checkpoint.names import data_files, data_path, encode_name, index_path
from pipeline.checkpoint.slices import PartitionedTensor
from pipeline.checkpoint.stored import Stored, as_stored
from pipeline.checkpoint.table import encode_table


def write_bundle(
    prefix: str | os.PathLike[str],
    tensors: Mapping[str, Any],
    *,
    align: int = 1,
    shards: Mapping[str, int] | None = None,
    extra_files: Mapping[str, bytes] | None = None,
    durable: bool = True,
    on_published: Callable[[], None] | None = None,
) -> None:
    """Writes tensors by name as the V2 checkpoint `prefix`, replacing one of that name at once.

    Args:
        prefix: path without `.index`; its directory exists.
        tensors: array-likes, or `PartitionedTensor`s, in the order their bytes shall lie in the
            data file (`tf.train.Saver` sorts by name). A value is fetched when its turn comes.
        align: each tensor begins at a multiple of it, in bytes. 1 is TensorFlow's own layout; with
            64, JAX on CPU uses the mapped file without a copy, and TensorFlow reads it as well.
        shards: the data file of each name, counted from 0; without it there is one file.
        extra_files: whole files by suffix (`.meta`), published before the index.
        durable: wait until the bytes are on the disk, so that a power cut loses nothing either.
        on_published: called when the checkpoint is in place and other savers are still kept out of
            its directory.

    Raises:
        InvalidArgumentError: a name is empty or begins with a zero byte, or `shards` leaves a gap.
        InvalidTypeError: a value has no TensorFlow dtype.
        PermissionDeniedError, ResourceExhaustedError, NotFoundError: the disk says no; the
            checkpoint that was there before is still there.
    """
    prefix = os.fspath(prefix)
    planned = _Plan(tensors, align, shards)
    directory = os.path.dirname(prefix)
    files.remove_abandoned(directory)
    with files.Staging(prefix, durable=durable) as staging:
        for shard, placed in enumerate(planned.placed):
            name = data_path(prefix, shard, len(planned.placed))
            descriptor = staging.create(name)
            with translated(f"cannot write {name}"):
                planned.checksums[shard] = write_data(descriptor, placed)
        for suffix, content in (extra_files or {}).items():
            staging.write(prefix + suffix, content)
        entries = planned.entries()
        staging.write(index_path(prefix), _encode_index(entries, len(planned.placed)))
        staging.synchronise()
        with files.locked(directory):
            for suffix in extra_files or {}:
                staging.publish(prefix + suffix)
            _publish(prefix, staging, entries, len(planned.placed), durable)
            if durable:
                files.synchronise_directory(directory)
            if on_published is not None:
                on_published()


class _Item(NamedTuple):
    """A tensor or a slice under its table key, and where its bytes go."""

    key: bytes
    tensor: Stored
    shard: int
    offset: int


class _Plan:
    """Which bytes go where; the checksums follow when they are written."""

    def __init__(
        self, tensors: Mapping[str, Any], align: int, shards: Mapping[str, int] | None
    ) -> None:
        if align < 1:
            raise InvalidArgumentError(f"align={align}; expected a number of bytes, 1 or more")
        self._wholes: list[tuple[bytes, Entry]] = []
        self._items: list[_Item] = []
        ends = [0] * _count_shards(tensors, shards)
        for name, value in tensors.items():
            shard = shards[name] if shards is not None else 0
            for key, tensor in self._tensors(name, value):
                offset = -(-ends[shard] // align) * align
                self._items.append(_Item(key, tensor, shard, offset))
                ends[shard] = offset + tensor.size
        self.placed: list[list[Placed]] = [[] for _ in ends]
        for item in self._items:
            self.placed[item.shard].append(Placed(item.offset, item.tensor))
        self.checksums: list[list[int]] = [[] for _ in ends]

    def _tensors(self, name: str, value: Any) -> Iterator[tuple[bytes, Stored]]:
        """The stored tensors of one name: itself, or the slices of a partitioned variable."""
        key = _key(name)
        if not isinstance(value, PartitionedTensor):
            yield key, as_stored(name, value)
            return
        stored = [as_stored(name, part.value) for part in value.parts]
        if len(stored) == 1 and stored[0].shape == value.shape:  # as TensorFlow does
            yield key, stored[0]
            return
        extents = tuple(part.extents for part in value.parts)
        self._wholes.append((key, Entry(stored[0].dtype, value.shape, slices=extents)))
        for part, tensor in zip(extents, stored, strict=True):
            yield ordered_code.slice_key(key, part), tensor

    def entries(self) -> list[tuple[bytes, bytes]]:
        """The table's entries after the header, sorted; all checksums are known."""
        remaining = [iter(found) for found in self.checksums]
        entries = [(key, entry.encode()) for key, entry in self._wholes]
        for key, tensor, shard, offset in self._items:
            entry = Entry(tensor.dtype, tensor.shape, shard, offset, tensor.size,
                          next(remaining[shard]))
            entries.append((key, entry.encode()))
        return sorted(entries)


def _key(name: str) -> bytes:
    if not isinstance(name, str):
        raise InvalidTypeError(f"tensor name {name!r} is {type(name).__name__}; expected str")
    try:
        key = encode_name(name)
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"tensor name {name!r} is no text") from None
    if not key or key.startswith(ordered_code.PREFIX):
        raise InvalidArgumentError(f"tensor name {name!r}; expected one that is not empty and does "
                                   "not begin with a zero byte")
    return key


def _count_shards(tensors: Mapping[str, Any], shards: Mapping[str, int] | None) -> int:
    if shards is None:
        return 1
    missing = [name for name in tensors if name not in shards]
    used = {shards[name] for name in tensors if name in shards} or {0}
    if missing or used != set(range(len(used))):
        raise InvalidArgumentError(f"shards name the data files {sorted(used)} and leave out "
                                   f"{missing}; expected 0, 1, … for every tensor")
    return len(used)


def _encode_index(entries: Sequence[tuple[bytes, bytes]], num_shards: int) -> bytes:
    return encode_table([(HEADER_KEY, Header(num_shards).encode()), *entries])


def _publish(
    prefix: str,
    staging: files.Staging,
    entries: Sequence[tuple[bytes, bytes]],
    num_shards: int,
    durable: bool,
) -> None:
    """Puts staged data files and index in place, in an order that never mixes old and new.

    An index names its data files by their count alone. Where the new ones would replace the old
    index's own, they first appear under another count, with an index for that count: one rename
    then leads from the old bundle to the new one, and a second to the new one's final names.
    """
    names = [data_path(prefix, shard, num_shards) for shard in range(num_shards)]
    if os.path.exists(index_path(prefix)) and any(map(os.path.exists, names)):
        counts = [int(path[-5:]) for path in data_files(prefix)]
        other = max(*counts, num_shards) + 1
        for shard in range(other):
            if shard < num_shards:
                staging.link(names[shard], data_path(prefix, shard, other))
            else:
                files.replace(data_path(prefix, shard, other), b"", durable=durable)
        files.replace(index_path(prefix), _encode_index(entries, other), durable=durable)
    for name in names:
        staging.publish(name)
    staging.publish(index_path(prefix))
    for path in data_files(prefix):
        if path not in names:
            files.unlink(path)
