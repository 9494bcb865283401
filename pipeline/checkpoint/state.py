"""The `checkpoint` file: which checkpoints a directory holds, and which one is the latest.

It is a CheckpointState in protobuf's text form; the Saver writes the first two fields only:

    model_checkpoint_path: "model.ckpt-3"
    all_model_checkpoint_paths: "model.ckpt-2"
    all_model_checkpoint_paths: "model.ckpt-3"
    all_model_checkpoint_timestamps: 1700000000.5      (TensorFlow 2's CheckpointManager)
    last_preserved_timestamp: 1700000000.5             (likewise)

A path that is not absolute is meant relative to the file's directory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.checkpoint import files, log
from pipeline.checkpoint.errors import InvalidArgumentError, located, translated
from pipeline.checkpoint.names import checkpoint_exists
from pipeline.checkpoint.state_text import decode_fields, encode_fields
from pipeline.reading import open_file

DEFAULT_FILENAME = "checkpoint"
_MOST_BYTES = 1 << 24  # no state file is longer; another file of that name may be


@dataclass(frozen=True)
class CheckpointState:
    """What a state file says; times are seconds since 1970."""

    model_checkpoint_path: str
    all_model_checkpoint_paths: tuple[str, ...] = ()
    all_model_checkpoint_timestamps: tuple[float, ...] = ()
    last_preserved_timestamp: float | None = None

    def encode(self) -> bytes:
        """The file's content."""
        preserved = self.last_preserved_timestamp
        return encode_fields({
            "model_checkpoint_path": (self.model_checkpoint_path,),
            "all_model_checkpoint_paths": self.all_model_checkpoint_paths,
            "all_model_checkpoint_timestamps": self.all_model_checkpoint_timestamps,
            "last_preserved_timestamp": () if preserved is None else (preserved,),
        })

    @classmethod
    def decode(cls, content: bytes) -> CheckpointState:
        """Reads a file's content; a field that may occur once keeps its last value.

        Raises:
            InvalidArgumentError: the content is no CheckpointState.
        """
        fields = decode_fields(content)
        return cls(
            str(fields["model_checkpoint_path"][-1]) if fields["model_checkpoint_path"] else "",
            tuple(map(str, fields["all_model_checkpoint_paths"])),
            tuple(map(float, fields["all_model_checkpoint_timestamps"])),
            next((float(f) for f in reversed(fields["last_preserved_timestamp"])), None),
        )


def get_checkpoint_state(
    directory: str | os.PathLike[str], latest_filename: str | None = None
) -> CheckpointState | None:
    """What the state file of a directory says, its paths joined to the directory.

    None when there is no such file, or when it cannot be understood, which is logged.

    Raises:
        InvalidArgumentError: the file names no latest checkpoint.
        PermissionDeniedError: the file may not be read.
    """
    directory = os.fspath(directory)
    path = os.path.join(directory, latest_filename or DEFAULT_FILENAME)
    if not os.path.isfile(path):
        return None
    with translated(f"cannot read {path}"), open_file(path) as file:
        content = file.read() if os.path.getsize(path) < _MOST_BYTES else b"?"
    try:
        with located(path):
            state = CheckpointState.decode(content)
    except InvalidArgumentError as error:
        log.warning("%s; checkpoint ignored", error)
        return None
    if not state.model_checkpoint_path:
        raise InvalidArgumentError(f"Invalid checkpoint state loaded from {directory}: {path} has "
                                   "no model_checkpoint_path")
    return replace(
        state,
        model_checkpoint_path=os.path.join(directory, state.model_checkpoint_path),
        all_model_checkpoint_paths=tuple(
            os.path.join(directory, found) for found in state.all_model_checkpoint_paths
        ),
    )


def latest_checkpoint(
    directory: str | os.PathLike[str], latest_filename: str | None = None
) -> str | None:
    """The prefix of the latest checkpoint that the state file of a directory names.

    Where its files are gone, one of the same name in this directory counts: a directory that was
    moved, with absolute paths in its state file. None, and a line in the log, if that is gone too.

    Raises:
        InvalidArgumentError: the state file names no latest checkpoint.
    """
    state = get_checkpoint_state(directory, latest_filename)
    if state is None:
        return None
    found = present(state.model_checkpoint_path, os.fspath(directory))
    if found is None:
        log.error("Couldn't match files for checkpoint %s", state.model_checkpoint_path)
    return found


def present(prefix: str, directory: str) -> str | None:
    """The prefix if it has files, or its last part within `directory` if that has."""
    for candidate in (prefix, os.path.join(directory, os.path.basename(prefix))):
        if checkpoint_exists(candidate):
            return candidate
    return None


def update_checkpoint_state(
    directory: str | os.PathLike[str],
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] = (),
    latest_filename: str | None = None,
    *,
    save_relative_paths: bool = True,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Replaces the state file of a directory at once.

    Args:
        directory: where the file is; paths below are relative to the working directory, as usual.
        model_checkpoint_path: the latest prefix, added to the list unless it is its last.
        all_model_checkpoint_paths: the prefixes that are kept, the oldest first.
        latest_filename: another name than `checkpoint`.
        save_relative_paths: write every path relative to `directory`, so that it can be moved.
            Otherwise absolute paths stay absolute, as TensorFlow's default leaves them.
        last_preserved_timestamp: when a checkpoint was last kept for good.

    Raises:
        PermissionDeniedError, ResourceExhaustedError: the disk says no; the old file is untouched.
    """
    directory = os.fspath(directory)

    def written(path: str) -> str:
        if os.path.isabs(path) and os.path.isabs(directory) and not save_relative_paths:
            return path
        return os.path.relpath(path, directory or ".")

    latest = written(model_checkpoint_path)
    paths = [written(path) for path in all_model_checkpoint_paths]
    if not paths or paths[-1] != latest:
        paths.append(latest)
    state = CheckpointState(latest, tuple(paths), (), last_preserved_timestamp)
    files.replace(os.path.join(directory, latest_filename or DEFAULT_FILENAME), state.encode())
