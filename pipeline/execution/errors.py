"""The errors of the room: one class, and its kinds for callers that expect Python's own."""

from pipeline.errors import PipelineError


class ExecutionError(PipelineError):
    """A graph cannot be run: what it needs is missing, malformed or not supported."""


class UnknownValue(ExecutionError):
    """Something has to be known before running, a size say, and is computed from what is fed.

    `positions` are those of a rule's arguments: with these known it could go on.
    """

    def __init__(self, message: str, positions: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.positions = positions


class NeedsWide(ExecutionError):
    """Numbers of 64 bits that 32 do not hold, where JAX computes in 32."""


class ElementNotFound(ExecutionError, KeyError):
    """A graph has no operation or tensor of that name."""

    def __str__(self) -> str:
        return str(self.args[0])   # KeyError would print its repr


class ElementTypeError(ExecutionError, TypeError):
    """What was given can not name an operation or a tensor."""
