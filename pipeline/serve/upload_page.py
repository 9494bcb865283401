"""The first page of a run whose examples nobody draws: open a picture, see what is said of it."""

from __future__ import annotations

from pipeline.report import quantities
from pipeline.report.markup import Markup, tag
from pipeline.report.page import Section
from pipeline.serve.answer import answer
from pipeline.serve.draw_page import answer_table
from pipeline.serve.shell import shell
from pipeline.serve.subject import Subject


def upload_page(subject: Subject, example: int | None = None) -> str:
    """The page as a whole; with an `example`, the one of that number in the test split."""
    said, title = None, "Open a picture"
    if example is not None:
        test = subject.data_sets.test
        said = answer(subject, test.pixels[example])
        named = subject.description.classes[int(test.digits[example])]
        title = f"Test example {example}, labelled {named}"
    body = tag("div", _chooser(subject), answer_table(subject, said), class_="drawing")
    return shell(subject, "/", [Section("draw", title, body)], script="upload.js")


def _chooser(subject: Subject) -> Markup:
    size = "×".join(map(str, subject.description.shape))
    if len(subject.description.shape) != 3:
        return tag("p", f"This run's examples are {size} numbers and no pictures; ask its model by "
                        "its frozen graph.", class_="none")
    largest = quantities.size(subject.config.serve.largest_upload)
    return tag(
        "div",
        tag("p", tag("label", "Open a picture", tag("input", id="file", type="file",
                                                    accept="image/*")), class_="tools"),
        tag("p", f"Stretched to {size}, as the model takes it. Pictures may also be dropped here, "
                 f"up to {largest}.", class_="caption"), class_="pad")
