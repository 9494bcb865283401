"""The one error class of this room."""

from __future__ import annotations

from pipeline.errors import PipelineError


class GateError(PipelineError):
    """A gate cannot be judged as asked: its file, or the run's record, cannot be used."""
