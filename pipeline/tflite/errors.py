"""What can be wrong with a graph that is to be a TFLite model, or with such a file."""

from pipeline.errors import IntegrityError, PipelineError


class TfliteError(PipelineError):
    """The graph can't be a TFLite model."""


class TfliteFileError(IntegrityError, TfliteError):
    """A file is not a TFLite model that LiteRT can run."""


class Unsupported(Exception):
    """Why a rule can't write a node; the converter collects these and tells all at once."""
