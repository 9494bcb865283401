"""What the files of a bundle are called, and its tensors.

    P.index   P.data-00000-of-00001 …   P.meta   and beside them the state file `checkpoint`
"""

from __future__ import annotations

import glob
import os


def index_path(prefix: str) -> str:
    """The table of a bundle: where it is, a checkpoint is complete."""
    return prefix + ".index"


def data_path(prefix: str, shard: int, num_shards: int) -> str:
    """One data file of a bundle."""
    return f"{prefix}.data-{shard:05d}-of-{num_shards:05d}"


def data_files(prefix: str) -> list[str]:
    """All data files that exist under a prefix, of whatever count."""
    digits = "[0-9]" * 5
    return sorted(glob.glob(f"{glob.escape(prefix)}.data-{digits}-of-{digits}"))


def checkpoint_exists(prefix: str | os.PathLike[str]) -> bool:
    """Whether there is a checkpoint of that prefix."""
    return os.path.isfile(index_path(os.fspath(prefix)))


def encode_name(name: str) -> bytes:
    """A tensor's name as a table key; bytes that are no UTF-8 survive both ways."""
    return name.encode("utf-8", "surrogateescape")


def decode_name(key: bytes) -> str:
    """The name that a table key stands for."""
    return key.decode("utf-8", "surrogateescape")
