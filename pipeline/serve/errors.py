"""What a request can be refused with."""

from __future__ import annotations

from http import HTTPStatus

from pipeline.errors import PipelineError


class Refusal(PipelineError):
    """A request that cannot be answered: an HTTP status, and what was wrong in words."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
