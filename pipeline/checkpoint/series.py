"""The checkpoints of one Saver over time: what it keeps, and what it lists in the state file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from pipeline.checkpoint.errors import InvalidArgumentError
from pipeline.checkpoint.names import checkpoint_exists, index_path
from pipeline.checkpoint.retention import Retention
from pipeline.checkpoint.state import (
    CheckpointState,
    get_checkpoint_state,
    present,
    update_checkpoint_state,
)

DEFAULT_HOURS = 10000.0  # tf.train.Saver's: none is ever kept for good


class Series:
    """Counts checkpoints as kept, lists them, and removes the one too many.

    It goes on where a former process stopped: at its first checkpoint of a name it takes over those
    of the same name that the state file lists. What other Savers listed there stays listed, and is
    never removed.
    """

    def __init__(self, max_to_keep: int, every_n_hours: float, *, relative: bool) -> None:
        self._retention = Retention(max_to_keep, every_n_hours)
        self._keeps_all = max_to_keep == 0
        self._dated = every_n_hours != DEFAULT_HOURS  # TensorFlow's Saver writes no times
        self._relative = relative
        self._mine: set[str] = set()
        self._taken_over: set[tuple[str, str]] = set()
        self._recovered = False

    @property
    def prefixes(self) -> list[str]:
        """What is kept, the oldest first."""
        return [kept.prefix for kept in self._retention.kept]

    def recover(self, prefixes: Iterable[str]) -> None:
        """Keeps these instead, in the order of their age; those that are gone are passed over."""
        found = [prefix for prefix in prefixes if checkpoint_exists(prefix)]
        self._retention.kept.clear()
        self._take_over(sorted(found, key=lambda prefix: os.path.getmtime(index_path(prefix))))
        self._recovered = True

    def add(self, prefix: str, base: str, latest_filename: str, meta_graph_suffix: str) -> None:
        """Counts a checkpoint that was just published, `prefix` being `base` and a step.

        Other savers are kept out meanwhile, by the lock under which it was published: one of them
        might take it over and remove it. The state file is replaced before anything is removed, so
        it never names what is gone.
        """
        directory = os.path.dirname(prefix)
        listed = self._listed(directory, base, latest_filename)
        self._retention.record(prefix)
        self._mine.add(os.path.abspath(prefix))
        update_checkpoint_state(
            directory,
            prefix,
            [prefix] if self._keeps_all else [*self._of_others(listed), *self.prefixes],
            latest_filename,
            save_relative_paths=self._relative,
            last_preserved_timestamp=self._retention.period_start if self._dated else None,
        )
        self._retention.remove_dropped(meta_graph_suffix)

    def _listed(self, directory: str, base: str, latest_filename: str) -> list[str]:
        """What the state file lists and exists; at the first time, what is ours is taken over."""
        state = _state(directory, latest_filename)
        if state is None:
            return []
        candidates = (present(path, directory) for path in state.all_model_checkpoint_paths)
        listed = [path for path in candidates if path is not None]
        series = os.path.join(directory, latest_filename), base
        if series not in self._taken_over and not self._recovered and not self._keeps_all:
            self._taken_over.add(series)
            same_name = re.compile(re.escape(os.path.basename(base)) + r"(-\d+)?")
            self._take_over(p for p in listed if same_name.fullmatch(os.path.basename(p)))
            if state.last_preserved_timestamp is not None:
                self._retention.period_start = state.last_preserved_timestamp
        return listed

    def _take_over(self, prefixes: Iterable[str]) -> None:
        prefixes = list(prefixes)
        self._retention.adopt(prefixes)
        self._mine.update(map(os.path.abspath, prefixes))

    def _of_others(self, listed: Iterable[str]) -> list[str]:
        return [path for path in listed if os.path.abspath(path) not in self._mine]


def _state(directory: str, latest_filename: str) -> CheckpointState | None:
    try:
        return get_checkpoint_state(directory, latest_filename)
    except InvalidArgumentError:  # it is about to be replaced
        return None
