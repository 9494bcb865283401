"""The one error class of this room."""

from __future__ import annotations

from pipeline.errors import PipelineError


class TrainError(PipelineError):
    """Training cannot start or go on as asked."""
