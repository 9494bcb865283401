"""What a wrong use of names, scopes or variables raises."""

from __future__ import annotations

from pipeline.errors import PipelineError


class ScopeError(PipelineError):
    """Names the variable or scope, what was found, what was expected and what to do."""


class ScopeTypeError(ScopeError, TypeError):
    """An argument of a wrong type, where TensorFlow raises TypeError."""


class ScopeKeyError(ScopeError, KeyError):
    """A name that does not exist, where TensorFlow raises KeyError."""

    def __str__(self) -> str:
        return ScopeError.__str__(self) if not self.args else str(self.args[0])


class ScopeNestingError(ScopeError, RuntimeError):
    """Scopes left in another order than they were entered, where TensorFlow raises RuntimeError."""
