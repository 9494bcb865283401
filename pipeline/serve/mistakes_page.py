"""The misclassified test examples, worst first, all of them or those of one kind."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from pipeline.report import quantities
from pipeline.report.evaluation import confusion_table, mistake, mistakes
from pipeline.report.markup import Markup, join, tag
from pipeline.report.page import Section
from pipeline.serve.paging import Slice
from pipeline.serve.shell import shell
from pipeline.serve.subject import Subject

_PER_PAGE = 60


def mistakes_page(
    subject: Subject, true: int | None, predicted: int | None, number: int
) -> str:
    """The page; `true` and `predicted` select classes, `number` the page from 1."""
    chosen = _chosen(subject, true, predicted)
    part = Slice(len(chosen), _PER_PAGE, number)
    evaluation, test = subject.evaluation, subject.data_sets.test
    query = {key: value for key, value in (("true", true), ("predicted", predicted))
             if value is not None}
    pictures = [mistake(evaluation, test.pixels[index], int(test.digits[index]), int(index),
                        subject.description.classes, href=f"/?example={index}")
                for index in chosen[part.start:part.stop]]
    matrix = confusion_table(evaluation.confusion, subject.description.classes, link=_address)
    return shell(subject, "/mistakes", [
        Section("mistakes", _title(subject, true, predicted), join([
            _caption(subject, len(chosen), bool(query)),
            tag("div", *pictures, class_="gallery") if pictures else None,
            part.links("/mistakes", query)])),
        Section("confusion", "Which class for which", matrix),
    ])


def waiting_page(subject: Subject) -> str:
    """What is shown in its place until the test split is through."""
    evaluating = subject.evaluating
    text = (f"{quantities.count(evaluating.done)} of {quantities.count(evaluating.examples)} test "
            "examples are through the model")
    return shell(subject, "/mistakes", [Section("mistakes", "Mistakes", join([
        tag("progress", max=evaluating.examples, value=evaluating.done, aria_label=text),
        tag("p", text + "; the page renews itself.", class_="caption")]))])


def _chosen(
    subject: Subject, true: int | None, predicted: int | None
) -> NDArray[np.intp]:
    digits, predictions = subject.data_sets.test.digits, subject.evaluation.predictions
    wrong = mistakes(subject.evaluation, digits)
    fits = np.ones(len(wrong), bool)
    if true is not None:
        fits &= digits[wrong] == true
    if predicted is not None:
        fits &= predictions[wrong] == predicted
    return wrong[fits]


def _address(true: int, predicted: int) -> str:
    return "/mistakes?" + urlencode({"true": true, "predicted": predicted})


def _title(subject: Subject, true: int | None, predicted: int | None) -> str:
    if true is None and predicted is None:
        return "Mistakes"
    label, taken = (None if one is None else _name(subject, one) for one in (true, predicted))
    return f"{label or 'any class'} taken for {taken or 'another'}"


def _name(subject: Subject, label: int) -> str:
    names = subject.description.classes
    return names[label] if label < len(names) else str(label)


def _caption(subject: Subject, count: int, selected: bool) -> Markup:
    total = quantities.count(subject.evaluation.examples)
    parts = [f"{quantities.count(count)} of {total} test examples. Label → prediction, and the "
             "prediction's probability; the one whose true label got the smallest probability "
             "first. A picture leads to what both models say of it, a number in the table below "
             "to the mistakes of that kind. "]
    every = tag("a", "All mistakes", href="/mistakes") if selected else None
    return tag("p", *parts, every, class_="caption")
