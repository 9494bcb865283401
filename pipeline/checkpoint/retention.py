"""Which checkpoints a Saver keeps: the last few, and one every so many hours for good."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.checkpoint import files, log
from pipeline.checkpoint.errors import CheckpointError
from pipeline.checkpoint.index import index_identity
from pipeline.checkpoint.names import checkpoint_exists, data_files, index_path


@dataclass(frozen=True)
class Kept:
    """A checkpoint's prefix, when it was saved (seconds since 1970), which file is its index."""

    prefix: str
    saved: float
    identity: tuple[int, int] | None


class Retention:
    """The checkpoints of one Saver, the oldest first.

    Args:
        max_to_keep: how many; 0 keeps all.
        every_n_hours: the period of those that are kept for good: the first to be dropped that was
            saved after a period's end stays, and the next period begins.
    """

    def __init__(self, max_to_keep: int, every_n_hours: float) -> None:
        self._max_to_keep = max_to_keep
        self._period = every_n_hours * 3600
        self._dropped: list[Kept] = []
        self.period_start = time.time()
        self.kept: list[Kept] = []

    def adopt(self, prefixes: Iterable[str]) -> None:
        """Puts checkpoints of a former Saver before those of this one."""
        known = {os.path.abspath(kept.prefix) for kept in self.kept}
        found = [Kept(prefix, os.path.getmtime(index_path(prefix)), index_identity(prefix))
                 for prefix in prefixes if os.path.abspath(prefix) not in known]
        self.kept = found + self.kept

    def record(self, prefix: str) -> None:
        """Adds a checkpoint that was just saved; the oldest one too many is dropped, at most one.

        A prefix that is saved again becomes the newest; those that someone else removed are
        forgotten.
        """
        path = os.path.abspath(prefix)
        self.kept = [kept for kept in self.kept
                     if os.path.abspath(kept.prefix) != path and checkpoint_exists(kept.prefix)]
        self.kept.append(Kept(prefix, time.time(), index_identity(prefix)))
        if 0 < self._max_to_keep < len(self.kept):
            dropped = self.kept.pop(0)
            if dropped.saved > self.period_start + self._period:
                self.period_start += self._period
            else:
                self._dropped.append(dropped)

    def remove_dropped(self, meta_graph_suffix: str) -> None:
        """Removes the files of what `record` dropped; a failure is logged, as TensorFlow does.

        What another saver has replaced since is that one's, and stays.
        """
        for dropped in self._dropped:
            if index_identity(dropped.prefix) not in (None, dropped.identity):
                continue
            try:
                remove_checkpoint(dropped.prefix, meta_graph_suffix)
            except CheckpointError as error:
                log.warning("Ignoring: %s", error)
        self._dropped.clear()


def remove_checkpoint(
    checkpoint_prefix: str | os.PathLike[str], meta_graph_suffix: str = "meta"
) -> None:
    """Removes a checkpoint's files, in TensorFlow's order: graph, index, data.

    Raises:
        PermissionDeniedError: a file may not be removed.
    """
    prefix = os.fspath(checkpoint_prefix)
    files.unlink(f"{prefix}.{meta_graph_suffix}")
    files.unlink(index_path(prefix))
    for path in data_files(prefix):
        files.unlink(path)
