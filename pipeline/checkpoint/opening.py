"""From a path that a user has at hand to a checkpoint, and the one-call readers."""

from __future__ import annotations

import os
from typing import Any

from numpy.typing import NDArray

from pipeline.checkpoint.errors import NotFoundError
from pipeline.checkpoint.names import checkpoint_exists
from pipeline.checkpoint.reader import CheckpointReader
from pipeline.checkpoint.state import latest_checkpoint


def checkpoint_prefix(path: str | os.PathLike[str]) -> str:
    """The prefix that is meant by a prefix, a directory of checkpoints or a SavedModel directory.

    Raises:
        NotFoundError: a directory without checkpoints.
    """
    path = os.fspath(path)
    if not os.path.isdir(path) or checkpoint_exists(path):
        return path
    saved_model = saved_model_prefix(path)
    found = saved_model if checkpoint_exists(saved_model) else latest_checkpoint(path)
    if found is None:
        raise NotFoundError("Couldn't find 'checkpoint' file or checkpoints in given directory "
                            f"{path}")
    return found


def saved_model_prefix(directory: str) -> str:
    """Where a SavedModel's variables are."""
    return os.path.join(directory, "variables", "variables")


def load_checkpoint(ckpt_dir_or_file: str | os.PathLike[str]) -> CheckpointReader:
    """The reader of a prefix, of a directory's latest checkpoint, or of a SavedModel's variables.

    Raises:
        NotFoundError, DataLossError, UnimplementedError: as `CheckpointReader` does.
    """
    return CheckpointReader(checkpoint_prefix(ckpt_dir_or_file))


def list_variables(ckpt_dir_or_file: str | os.PathLike[str]) -> list[tuple[str, list[int]]]:
    """(name, shape) of every tensor, sorted by name; raises as `load_checkpoint` does."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: str | os.PathLike[str], name: str) -> NDArray[Any]:
    """One tensor; a `:0` after its name is dropped. Raises as `get_tensor` does."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))
