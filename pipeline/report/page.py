"""The shell every page shares: one file with its style and script inside, nothing fetched.

The page's own policy forbids the browser to load anything and to run any script but ours, whose
sha256 it names: should text from outside ever become markup, it stays dead.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

from pipeline.report.markup import Markup, escape, tag


@dataclass(frozen=True)
class Section:
    """A part of a page, reachable as `#anchor`."""

    anchor: str
    title: str
    body: Markup


def page(title: str, header: Markup, sections: Sequence[Section]) -> str:
    """A whole HTML document."""
    script = _resource("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
              f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
    navigation = tag("nav", *(tag("a", part.title, href=f"#{part.anchor}") for part in sections))
    body = [tag("section", tag("h2", part.title), part.body, id=part.anchor) for part in sections]
    return Template(_resource("page.html")).substitute(
        title=escape(title), policy=escape(policy), style=_resource("page.css"), header=header,
        navigation=navigation, main=tag("main", *body), script=script)


def _resource(name: str) -> str:
    return resources.files("pipeline.report").joinpath(name).read_text("utf-8")
