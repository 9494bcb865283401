"""The frame around every page: the run's name, the way to the other pages, our style."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from pipeline.report.markup import tag
from pipeline.report.page import Section, Served, page
from pipeline.serve.subject import Subject

LINKS = (("Draw", "/"), ("Mistakes", "/mistakes"), ("Variables", "/variables"),
         ("Graph", "/graph"), ("Report", "/report"))


def shell(
    subject: Subject, here: str, sections: Sequence[Section], script: str | None = None
) -> str:
    """A whole HTML document; `script` names a file of this room to run in it."""
    name = subject.directory.resolve().name
    title = next(title for title, address in LINKS if address == here)
    header = tag(
        "header",
        tag("p", f"jaxfrost run on {subject.config.dataset.name}, "
                 f"model {subject.network.name}", class_="kind"),
        tag("h1", name), class_="slim")
    return page(f"{title} · {name} · jaxfrost", header, sections, Served(
        links=LINKS, here=here, style=_styles(),
        script=_resource(script) if script else ""))


def problem_page(subject: Subject, here: str, text: str) -> str:
    """What is shown in a page's place when the run does not have what it needs."""
    return shell(subject, here, [Section("problem", "Not available", tag("p", text, class_="bad"))])


def _styles() -> str:
    drawing = resources.files("pipeline.drawing").joinpath("drawing.css").read_text("utf-8")
    return drawing + _resource("serve.css")


def _resource(name: str) -> str:
    return resources.files("pipeline.serve").joinpath(name).read_text("utf-8")
