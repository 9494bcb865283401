"""What can go wrong with a checkpoint, under the names of TensorFlow's own error classes.

`tf.errors` has one class per status code; a program that caught them keeps its `except` lines. All
are `CheckpointError`, which is a `ValueError`: TensorFlow raises that one for wrong arguments.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.budget import MemoryBudgetError
from pipeline.errors import IntegrityError, PipelineError


class CheckpointError(PipelineError):
    """Anything about a checkpoint that a user can cause or a disk can do."""


class NotFoundError(CheckpointError):
    """A file or a tensor name that is not there."""


class InvalidArgumentError(CheckpointError):
    """An argument that does not fit: a shape, a dtype, a name, a list of variables."""


class InvalidTypeError(InvalidArgumentError, TypeError):
    """Something that is no variable, no name, no container; TensorFlow says `TypeError` here."""


class DataLossError(CheckpointError, IntegrityError):
    """Bytes that are missing or were changed since they were written."""


class UnimplementedError(CheckpointError):
    """A format that is known and not read: V1 checkpoints, big-endian bundles."""


class PermissionDeniedError(CheckpointError):
    """The system does not allow it: rights, or a read-only file system."""


class ResourceExhaustedError(CheckpointError):
    """The disk is full, a quota is, or the budget of memory would be exceeded."""


class AbortedError(CheckpointError):
    """Another process holds the directory for longer than a save takes."""


_BY_ERRNO: dict[int, type[CheckpointError]] = {
    errno.ENOENT: NotFoundError,
    errno.ENOTDIR: NotFoundError,
    errno.EACCES: PermissionDeniedError,
    errno.EPERM: PermissionDeniedError,
    errno.EROFS: PermissionDeniedError,
    errno.ENOSPC: ResourceExhaustedError,
    errno.EDQUOT: ResourceExhaustedError,
    errno.EFBIG: ResourceExhaustedError,
}


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turns an `OSError` below into the checkpoint error of its cause, beginning with `action`."""
    try:
        yield
    except MemoryBudgetError as error:
        raise ResourceExhaustedError(f"{action}: {error}") from None
    except OSError as error:
        kind = _BY_ERRNO.get(error.errno or 0, CheckpointError)
        raise kind(f"{action}: {error.strerror or error}") from error


@contextmanager
def located(place: str) -> Iterator[None]:
    """Puts the place, a file or a tensor, in front of a checkpoint error raised below."""
    try:
        yield
    except MemoryBudgetError as error:
        raise ResourceExhaustedError(f"{place}: {error}") from None
    except CheckpointError as error:
        raise type(error)(f"{place}: {error}") from error
