"""`Saver`: variables ↔ a series of checkpoints, as `tf.train.Saver` keeps it, without a session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from pipeline.checkpoint import files, log
from pipeline.checkpoint.errors import InvalidArgumentError, NotFoundError
from pipeline.checkpoint.plan import plan_of, read_planned
from pipeline.checkpoint.reader import CheckpointReader
from pipeline.checkpoint.saver_def import SaverDef
from pipeline.checkpoint.series import DEFAULT_HOURS, Series
from pipeline.checkpoint.shards import shards_by_device, shards_by_size
from pipeline.checkpoint.state import DEFAULT_FILENAME
from pipeline.checkpoint.variables import Slot, as_tree, saved_slots_of
from pipeline.checkpoint.writer import write_bundle

MetaGraph = bytes | Callable[[SaverDef], bytes]


class Saver:
    """Saves variables under their names, restores them, and keeps the last few checkpoints.

    Args:
        variables: a list of variables, a dict of name → variable or array, a variable store, a
            flax nnx module, or None when every `save` and `restore` is given them. Names become
            keys of the checkpoint; a dict may rename, and name only a part.
        reshape: restore a tensor into a variable of another shape with as many elements.
        sharded: one data file per device that holds variables; a number: so many, of about equal
            size, though no more than there are variables.
        max_to_keep: how many checkpoints stay; 0 or None keeps all of them.
        keep_checkpoint_every_n_hours: of those that would go, one per so many hours stays for good.
        pad_step_number: write step 7 as `-00000007`, so that names sort.
        save_relative_paths: write the state file so that its directory can be moved. TensorFlow's
            own default, False, writes absolute paths when `save` is given one.
        allow_empty: without variables, `save` writes the graph alone instead of raising.
        meta_graph: a serialised MetaGraphDef, or what makes one from this Saver's `SaverDef`; saved
            as `P.meta`.
        align: see `write_bundle`.
        durable: see `write_bundle`.

    Raises:
        InvalidArgumentError: there are no variables, or two have one name.
        InvalidTypeError: something in `variables` is no variable.
    """

    def __init__(
        self,
        variables: Any = None,
        *,
        reshape: bool = False,
        sharded: bool | int = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = DEFAULT_HOURS,
        pad_step_number: bool = False,
        save_relative_paths: bool = True,
        allow_empty: bool = False,
        meta_graph: MetaGraph | None = None,
        align: int = 1,
        durable: bool = True,
    ) -> None:
        self._sharded = sharded
        self.saver_def = SaverDef(
            max_to_keep=max_to_keep or 0, sharded=sharded is True or sharded > 1,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours)
        self._variables = list(variables) if isinstance(variables, Iterator) else variables
        self._reshape, self._pad_step_number = reshape, pad_step_number
        self._allow_empty, self._meta_graph = allow_empty, meta_graph
        self._align, self._durable = align, durable
        self._series = Series(max_to_keep or 0, keep_checkpoint_every_n_hours,
                              relative=save_relative_paths)
        if variables is not None:
            self._slots(self._variables)

    def as_saver_def(self) -> SaverDef:
        """How this Saver is written in a MetaGraph."""
        return self.saver_def

    @property
    def last_checkpoints(self) -> list[str]:
        """The prefixes that this Saver keeps, the oldest first."""
        return self._series.prefixes

    def recover_last_checkpoints(self, checkpoint_paths: Iterable[str]) -> None:
        """Takes over checkpoints of a former Saver, in the order of their files' age.

        `save` does so by itself for those of its own name that the state file lists.
        """
        self._series.recover(checkpoint_paths)

    def save(
        self,
        save_path: str | os.PathLike[str],
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        *,
        variables: Any = None,
    ) -> str | None:
        """Saves the current values; returns the new checkpoint's prefix.

        A kill at any moment leaves the former checkpoints and the state file whole.

        Args:
            save_path: the prefix before the step; a missing directory is made, one level deep.
            global_step: a number, a variable that holds one, or the name of one of the variables.
            latest_filename: the state file's name, `checkpoint` by default.
            meta_graph_suffix: of the graph's file.
            write_meta_graph: whether to write the graph, where this Saver has one.
            write_state: whether to list the checkpoint in the state file and count it as kept.
            variables: what to save instead of what the Saver was made with: a functionally updated
                tree, for instance.

        Returns:
            The prefix `save_path-step`; None when there were no variables and that is allowed.

        Raises:
            InvalidArgumentError: no variables, a bad file name, a missing parent directory.
            PermissionDeniedError, ResourceExhaustedError: the disk says no; nothing is lost.
        """
        slots = self._slots(self._variables if variables is None else variables)
        base, latest_filename = os.fspath(save_path), latest_filename or DEFAULT_FILENAME
        _check_filenames(base, latest_filename)
        prefix = base if global_step is None else self._numbered(base, global_step, slots)
        _make_directory(prefix)
        graph = self._graph_file(meta_graph_suffix) if write_meta_graph else {}
        if not slots:
            for suffix, content in graph.items():
                files.replace(prefix + suffix, content, durable=self._durable)
            return None
        tensors = {name: slots[name].get() for name in sorted(slots)}
        count = partial(self._series.add, prefix, base, latest_filename, meta_graph_suffix)
        write_bundle(prefix, tensors, align=self._align, durable=self._durable, extra_files=graph,
                     shards=self._shards(tensors), on_published=count if write_state else None)
        return prefix

    def restore(self, save_path: str | os.PathLike[str] | None, *, variables: Any = None) -> Any:
        """Restores the values of a checkpoint: assigns to variables, and returns all values.

        Everything is read and compared before the first variable changes: an error changes none.

        Args:
            save_path: a checkpoint's prefix, as `save` and `latest_checkpoint` return it.
            variables: what to restore instead of what the Saver was made with.

        Returns:
            For a dict, a dict of the same nesting with the restored values: the new tree, where it
            held plain arrays. Otherwise the values by name. NumPy arrays are read-only views of the
            file; other libraries' arrays are made on the device of the former value.

        Raises:
            NotFoundError: variables that the checkpoint does not have; all of them are named.
            InvalidArgumentError: no checkpoint there, or other shapes or dtypes; all are named.
            DataLossError: the checkpoint is damaged.
        """
        if save_path is None:
            raise InvalidArgumentError("Can't load save_path when it is None.")
        variables = self._variables if variables is None else variables
        slots = self._slots(variables)
        try:
            reader = CheckpointReader(save_path)
        except NotFoundError as error:
            raise InvalidArgumentError("The passed save_path is not a valid checkpoint: "
                                       f"{os.fspath(save_path)} ({error})") from error
        log.info("Restoring parameters from %s", reader.prefix)
        targets = {name: (name, slot) for name, slot in slots.items()}
        plan_of(reader, targets, reshape=self._reshape).require()
        arrays = read_planned(reader, targets)
        return as_tree(variables, {name: slots[name].restored(arrays[name]) for name in slots})

    def _slots(self, variables: Any) -> dict[str, Slot]:
        slots = saved_slots_of({} if variables is None else variables)
        if not slots and not self._allow_empty:
            raise InvalidArgumentError("No variables to save")
        return slots

    def _numbered(self, base: str, global_step: Any, slots: Mapping[str, Slot]) -> str:
        step = _step_number(global_step, slots)
        return f"{base}-{step:08d}" if self._pad_step_number else f"{base}-{step}"

    def _shards(self, tensors: Mapping[str, Any]) -> dict[str, int] | None:
        if self._sharded is True:
            return shards_by_device(tensors)
        return shards_by_size(tensors, self._sharded) if self._sharded > 1 else None

    def _graph_file(self, suffix: str) -> dict[str, bytes]:
        graph = self._meta_graph
        if graph is None:
            return {}
        return {f".{suffix}": graph if isinstance(graph, bytes) else graph(self.saver_def)}


def _check_filenames(base: str, latest_filename: str) -> None:
    """Raises where the state file and the checkpoint would get in each other's way."""
    if os.path.basename(latest_filename) != latest_filename:
        raise InvalidArgumentError("'latest_filename' must not contain path components")
    if os.path.basename(base) == latest_filename:
        raise InvalidArgumentError("'latest_filename' collides with 'save_path': "
                                   f"{latest_filename!r} and {base!r}")
    if not os.path.basename(base):
        raise InvalidArgumentError(f"save_path {base!r} is a directory; add the file name's first "
                                   "part, for instance 'model.ckpt'")


def _step_number(global_step: Any, slots: Mapping[str, Slot]) -> int:
    if isinstance(global_step, str):
        name = global_step.removesuffix(":0")
        if name not in slots:
            raise InvalidArgumentError(f"global_step {global_step!r} is none of the variables; "
                                       "pass a number or a variable")
        global_step = slots[name].get()
    elif hasattr(global_step, "get_value"):
        global_step = global_step.get_value()
    step = np.asarray(global_step)
    if step.size != 1 or step.dtype.kind not in "iu":
        raise InvalidArgumentError(f"global_step {global_step!r} is no whole number")
    return int(step.reshape(())[()])


def _make_directory(prefix: str) -> None:
    """Makes the directory of a prefix, one level deep, as TensorFlow does."""
    directory = os.path.dirname(prefix)
    if directory and not os.path.isdir(os.path.dirname(os.path.abspath(directory))):
        raise InvalidArgumentError(f"Parent directory of {prefix} doesn't exist, can't save.")
    files.make_directory(directory)
