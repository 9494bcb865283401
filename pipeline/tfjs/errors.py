"""What can be wrong with a graph that TF.js is to run, or with a file of its."""

from pipeline.errors import IntegrityError, PipelineError


class TfjsError(PipelineError):
    """The graph can't be a TF.js graph model."""


class TfjsFileError(IntegrityError, TfjsError):
    """A model.json, or a weight file that it names, is not what it must be."""
