"""The one error of the room."""


class ExecutionError(ValueError):
    """A graph cannot be run: what it needs is missing, malformed or not supported."""
