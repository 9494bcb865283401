"""The one error of this room."""

from __future__ import annotations

from pipeline.errors import IntegrityError


class DataError(IntegrityError):
    """A data set cannot be had as asked.

    The text names the file or setting first, then what was found, then what to do.
    """
