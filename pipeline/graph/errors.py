"""The one error of the room."""

from pipeline.errors import IntegrityError, PipelineError


class GraphError(IntegrityError):
    """A graph, a node, a constant or a file of these is not what it must be."""


class GraphFileNotFound(GraphError, FileNotFoundError):
    """The file is absent; an `OSError` too, as TensorFlow raises."""

    exit_code = PipelineError.exit_code   # nothing is damaged
