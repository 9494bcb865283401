"""Long lists a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from pipeline.report.markup import Markup, tag
from pipeline.serve.errors import Refusal


@dataclass(frozen=True)
class Slice:
    """Page `number`, from 1, of `count` things, `size` on each."""

    count: int
    size: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.pages:
            raise Refusal(HTTPStatus.NOT_FOUND,
                          f"page={self.number}: there are pages 1 to {self.pages}")

    @property
    def pages(self) -> int:
        """How many pages there are; one when there is nothing."""
        return max(1, -(-self.count // self.size))

    @property
    def start(self) -> int:
        """The index of the first thing on the page."""
        return (self.number - 1) * self.size

    @property
    def stop(self) -> int:
        """The index after the last one."""
        return min(self.count, self.start + self.size)

    def links(self, path: str, query: Mapping[str, object]) -> Markup | None:
        """Back and forth; None where everything is on one page."""
        if self.pages == 1:
            return None
        back = self._link(path, query, self.number - 1, "← before", "prev")
        forth = self._link(path, query, self.number + 1, "after →", "next")
        here = f"{self.start + 1} to {self.stop} of {self.count}"
        return tag("p", back, tag("span", here), forth, class_="pages")

    def _link(
        self, path: str, query: Mapping[str, object], number: int, text: str, rel: str
    ) -> Markup:
        if not 1 <= number <= self.pages:
            return tag("span", text, class_="nil")
        address = f"{path}?{urlencode({**query, 'page': number})}"
        return tag("a", text, href=address, rel=rel)
