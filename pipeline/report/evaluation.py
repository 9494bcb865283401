"""What the test split says: the confusion matrix, figures by class, the worst mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.data.dataset import Examples, Labels
from pipeline.report import quantities
from pipeline.report.large_confusion import large_confusion
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.pictures import picture, png_uri
from pipeline.report.table import Column, table

if TYPE_CHECKING:
    from pipeline.evaluate import Evaluation

MISTAKES_SHOWN = 48
_TABLED = 30     # classes


def confusion_table(
    confusion: NDArray[np.integer], names: Sequence[str],
    link: Callable[[int, int], str] | None = None,
) -> Markup:
    """Counts [true, predicted] with sums; a mistake's colour grows with its count.

    Of more than 30 classes, a picture of the whole and the most frequent mistakes.

    Args:
        confusion: [classes, classes].
        names: of the classes.
        link: the address of the mistakes of a true and a predicted class, where there is one.
    """
    if len(confusion) > _TABLED:
        return large_confusion(confusion, names, link)
    classes = range(len(confusion))
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    columns = [Column("true ↓"), *(Column(names[k]) for k in classes), Column("sum", class_="side")]
    rows = [
        tag("tr", tag("th", names[true], scope="row"),
            *(_cell(confusion, true, predicted, int(mistakes.max()), names, link)
              for predicted in classes),
            tag("td", int(confusion[true].sum()), class_="side"))
        for true in classes
    ]
    foot: list[Child] = ["sum", *map(int, confusion.sum(axis=0)), int(confusion.sum())]
    return tag("div", tag("p", "columns: predicted →", class_="caption"),
               table(columns, rows, foot=foot, class_="confusion"), class_="matrix")


def _cell(
    confusion: NDArray[np.integer], true: int, predicted: int, worst: int,
    names: Sequence[str], link: Callable[[int, int], str] | None,
) -> Markup:
    count, examples = int(confusion[true, predicted]), int(confusion[true].sum())
    share = count / examples if examples else 0.0
    if true == predicted:
        kind, heat = "right", 0.45 * share
        title = f"{names[true]} recognised: {count} of {examples} ({quantities.percent(share)})"
    else:
        kind, heat = "wrong", 0.8 * (count / worst) ** 0.75 if count else 0.0
        title = (f"{names[true]} taken for {names[predicted]}: {count} of {examples} "
                 f"({quantities.percent(share)})")
    shown: Child = count or tag("span", "·", class_="nil")
    if link is not None and count and true != predicted:
        shown = tag("a", count, href=link(true, predicted))
    return tag("td", shown, class_=kind,
               style=f"--heat:{heat:.2f}", title=title)


def class_table(evaluation: Evaluation, names: Sequence[str]) -> Markup:
    """Precision, recall and F1 by class; the lowest of each column is marked.

    Of more than 30 classes, those with the lowest F1.
    """
    columns = [Column("class"), *(Column(title, numeric=True)
                                  for title in ("precision", "recall", "F1", "examples"))]
    scores = evaluation.per_class
    lowest = [min((getattr(score, name) for score in scores), default=0.0)
              for name in ("precision", "recall", "f1")]
    rows: list[list[Child]] = []
    listed = sorted(scores, key=lambda score: score.f1)[:_TABLED]
    for score in scores if len(scores) <= _TABLED else listed:
        values = (score.precision, score.recall, score.f1)
        shown = [tag("em", quantities.percent(value), title="the lowest") if value == low < 1
                 else quantities.percent(value) for value, low in zip(values, lowest, strict=True)]
        rows.append([names[score.label], *shown, quantities.count(score.support)])
    mean = [quantities.percent(float(np.mean([getattr(score, name) for score in scores])))
            if scores else quantities.MISSING for name in ("precision", "recall", "f1")]
    return table(columns, rows, foot=["mean", *mean, quantities.count(evaluation.examples)],
                 class_="classes")


def mistakes(evaluation: Evaluation, digits: Labels) -> NDArray[np.intp]:
    """Indices of all misclassified examples, the least probable true label first."""
    wrong = np.flatnonzero(evaluation.predictions != digits)
    of_truth = np.nan_to_num(evaluation.probabilities[wrong, digits[wrong]], nan=0.0)
    return wrong[np.argsort(of_truth, kind="stable")]


def mistake_gallery(
    evaluation: Evaluation, pixels: Examples, digits: Labels, names: Sequence[str]
) -> Markup:
    """The worst mistakes as pictures: label → prediction, and how probable the model held it."""
    wrong = mistakes(evaluation, digits)
    if not len(wrong):
        return tag("p", f"None of {quantities.count(evaluation.examples)} test examples is "
                        "misclassified.", class_="none")
    shown = [mistake(evaluation, pixels[index], int(digits[index]), int(index), names)
             for index in wrong[:MISTAKES_SHOWN]]
    which = "all of them" if len(wrong) <= MISTAKES_SHOWN else f"the worst {MISTAKES_SHOWN}"
    return join([
        tag("p", f"{quantities.count(len(wrong))} of {quantities.count(evaluation.examples)} test "
                 f"examples are misclassified; here {which}, the one whose true label got the "
                 "smallest probability first. Label → prediction, and the prediction's "
                 "probability.", class_="caption"),
        tag("div", *shown, class_="gallery"),
    ])


def mistake(
    evaluation: Evaluation, pixels: Examples, label: int, index: int, names: Sequence[str],
    href: str | None = None,
) -> Markup:
    """One example as a picture, or its number: its label and what it was taken for."""
    predicted = int(evaluation.predictions[index])
    probabilities = evaluation.probabilities[index]
    said = quantities.percent(float(probabilities[predicted]), 0)
    alternative = f"a {names[label]} taken for a {names[predicted]}"
    title = (f"test example {index}: {alternative} with {said}; "
             f"{names[label]} got {quantities.percent(float(probabilities[label]))}")
    if pixels.ndim == 1:
        shown = tag("span", f"example {index}")
    else:
        image = picture(pixels)
        shown = tag("img", src=png_uri(image), alt=alternative, width=image.width,
                    height=image.height)
    return tag(
        "figure",
        tag("a", shown, href=href) if href else shown,
        tag("figcaption", tag("b", f"{names[label]} → {names[predicted]}"), " ",
            tag("small", said)),
        title=title,
    )
