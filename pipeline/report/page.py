"""The shell every page shares: one document with its style and script inside, nothing fetched.

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


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a page has beyond a file's when a server answers for it, and that server alone."""

    links: Sequence[tuple[str, str]]   # (title, address) of the pages beside it
    here: str                          # this page's own address among them
    style: str = ""
    script: str = ""


def page(
    title: str, header: Markup, sections: Sequence[Section], served: Served | None = None,
    style: str = "",
) -> str:
    """A whole HTML document; its navigation leads to its sections or, if served, other pages.

    `style` is CSS that this page needs besides what all share.
    """
    script = _resource("page.js") + (served.script if served else "")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
              f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
              + ("; connect-src 'self'" if served else ""))
    body = [tag("section", tag("h2", part.title), part.body, id=part.anchor) for part in sections]
    return Template(_resource("page.html")).substitute(
        title=escape(title), policy=escape(policy), header=header,
        style=_resource("page.css") + (served.style if served else "") + style,
        navigation=_navigation(sections, served), main=tag("main", *body), script=script)


def _navigation(sections: Sequence[Section], served: Served | None) -> Markup:
    if served is None:
        return tag("nav", *(tag("a", part.title, href=f"#{part.anchor}") for part in sections))
    return tag("nav", *(tag("a", title, href=href,
                            aria_current="page" if href == served.here else None)
                        for title, href in served.links))


def _resource(name: str) -> str:
    return resources.files("pipeline.report").joinpath(name).read_text("utf-8")
