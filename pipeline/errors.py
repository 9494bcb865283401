"""The root of every room's error class."""

from __future__ import annotations


class PipelineError(ValueError):
    """Something a user caused and can mend.

    The text names the key, file or variable, what was found, what was expected and what to do; at
    the command line it is shown without a traceback, and `exit_code` is what the process ends with.
    """

    exit_code = 1


class IntegrityError(PipelineError):
    """Data, or an artefact, is not what it should be."""

    exit_code = 4
