"""The one error class of this room."""

from __future__ import annotations

from pipeline.errors import IntegrityError, PipelineError


class TrainError(PipelineError):
    """Training cannot start or go on as asked."""


class SnapshotError(TrainError, IntegrityError):
    """An orbax step is there, and is damaged or not one of ours."""


class SnapshotWriteError(TrainError):
    """An orbax step cannot be written: the disk is full, or its directory is not to be written."""
