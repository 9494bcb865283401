"""The first page: draw a digit, or open a picture, and see what both models say."""

from __future__ import annotations

from typing import Any

from pipeline.report import quantities
from pipeline.report.markup import Markup, join, tag
from pipeline.report.page import Section
from pipeline.serve.answer import answer
from pipeline.serve.shell import shell
from pipeline.serve.subject import Subject

_FIELD = 280    # pixels of the drawing along each side: ten for each of the models'


def draw_page(subject: Subject, example: int | None = None) -> str:
    """The page as a whole; with an `example`, the one of that number in the test split."""
    said, title = None, "Draw a digit"
    if example is not None:
        test = subject.data_sets.test
        said = answer(subject, test.pixels[example])
        title = f"Test example {example}, labelled {test.digits[example]}"
    body = tag("div", _pad(subject), answer_table(subject, said), class_="drawing")
    return shell(subject, "/", [Section("draw", title, body)], script="draw.js")


def _pad(subject: Subject) -> Markup:
    canvas = tag(
        "canvas", id="canvas", width=_FIELD, height=_FIELD, tabindex=0, role="application",
        aria_label="Drawing field", aria_describedby="keys")
    tools = tag(
        "p", tag("button", "Undo", id="undo", type="button"),
        tag("button", "Clear", id="clear", type="button"),
        tag("label", "Open a picture", tag("input", id="file", type="file", accept="image/*")),
        class_="tools")
    keys = tag("p", "By keyboard: arrow keys move the pen, the space bar sets it down and lifts "
                    "it, Backspace undoes, Escape clears. Pictures may also be dropped here, up to "
                    f"{quantities.size(subject.config.serve.largest_upload)}.",
               id="keys", class_="caption")
    return tag("div", tag("div", canvas, tag("i", id="pen", hidden=True), class_="field"),
               tools, keys, class_="pad")


def answer_table(subject: Subject, said: dict[str, Any] | None) -> Markup:
    """A row for each class with a bar for each model; the script fills the same row again."""
    head = tag("tr", tag("th", "digit" if subject.description.drawn else "class", scope="col"), *(
        tag("th", voice.name, tag("small", voice.source), scope="col")
        for voice in subject.voices))
    rows = [_row(label, name, said) for label, name in enumerate(subject.description.classes)]
    image = tag("img", id="seen", src=said["pixels"] if said else None, alt="", width=28, height=28,
                hidden=said is None)
    return tag(
        "div",
        tag("p", tag("b", verdict(said, subject.description.drawn), id="verdict"), image,
            aria_live="polite", class_="verdict"),
        tag("table", tag("thead", head), tag("tbody", *rows), class_="said", id="said"),
        tag("p", difference(said), id="difference", class_="caption"),
        tag("noscript", tag("p", "Drawing needs JavaScript. The other pages, and the examples "
                                 "they lead to, do without.", class_="bad")),
        class_="answer")


def _row(label: int, name: str, said: dict[str, Any] | None) -> Markup:
    values = [one["probabilities"][label] for one in said["models"]] if said else [None, None]
    best = said is not None and label == said["models"][0]["label"]
    return tag("tr", tag("th", name, scope="row"), *map(_bar, values),
               class_="best" if best else None)


def _bar(value: float | None) -> Markup:
    width = 0.0 if value is None else 100 * value
    return tag("td", join([
        tag("span", tag("i", style=f"width:{width:.2f}%"), class_="bar"),
        tag("span", quantities.percent(value, 1) if value is not None else "", class_="figure")]))


def verdict(said: dict[str, Any] | None, drawn: bool = True) -> str:
    """The answer in a line."""
    if said is None:
        return "Nothing drawn yet" if drawn else "No picture yet"
    first, second = said["models"]
    if first["label"] != second["label"]:
        return f"{first['name']}: {first['class']}, {second['name']}: {second['class']}"
    share = first["probabilities"][first["label"]]
    return f"{first['class']}, {quantities.percent(share, 1)}"


def difference(said: dict[str, Any] | None) -> str:
    """How far the two models are apart."""
    if said is None:
        return ""
    mantissa, _, exponent = f"{said['largest_difference']:.1e}".partition("e")
    return f"largest difference between the two: {mantissa}e{int(exponent):+d}"   # as JavaScript
