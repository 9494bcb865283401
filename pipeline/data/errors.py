"""The one error of this room."""

from __future__ import annotations

from pipeline.errors import IntegrityError, PipelineError


class DataError(IntegrityError):
    """A data set cannot be had as asked.

    The text names the file or setting first, then what was found, then what to do.
    """


class DataSettingError(DataError):
    """A setting, or a path that was given, by which there are no data; none are damaged."""

    exit_code = PipelineError.exit_code
