"""The confusion matrix of many classes: a picture, and its most frequent mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.report import quantities
from pipeline.report.markup import Child, Markup, tag
from pipeline.report.pictures import png_uri
from pipeline.report.table import Column, table

_LISTED = 40                  # mistakes
_RIGHT, _WRONG = (58, 116, 214), (214, 76, 52)
_WIDEST = 480                 # pixels on the page


def large_confusion(
    confusion: NDArray[np.integer], names: Sequence[str], link: Callable[[int, int], str] | None
) -> Markup:
    """A pixel for each [true, predicted], and the most frequent mistakes with their share."""
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:_LISTED]
    pairs = [divmod(int(at), len(confusion)) for at in order if mistakes.flat[at]]
    rows: list[list[Child]] = []
    for true, predicted in pairs:
        count, examples = int(confusion[true, predicted]), int(confusion[true].sum())
        shown: Child = quantities.count(count)
        if link is not None:
            shown = tag("a", shown, href=link(true, predicted))
        rows.append([names[true], names[predicted], shown, quantities.percent(count / examples)])
    columns = [Column("true"), Column("taken for"), Column("times", numeric=True),
               Column("of the class", numeric=True)]
    side = max(len(confusion), min(_WIDEST, 4 * len(confusion)))
    image = tag("img", src=png_uri(_drawn(confusion)), width=side, height=side,
                style="image-rendering:pixelated;max-width:100%;height:auto",
                alt=f"{len(confusion)} classes against those they were taken for")
    return tag("div", tag("p", "rows: true class ↓, columns: predicted →; blue is right, red is "
                               "wrong, the stronger the more of the class", class_="caption"),
               image, table(columns, rows) if rows else None, class_="matrix")


def _drawn(confusion: NDArray[np.integer]) -> Image.Image:
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    opacity = np.where(confusion > 0, 0.25 + 0.75 * share, 0.0)
    colours = np.where(np.eye(len(confusion), dtype=bool)[..., None], _RIGHT, _WRONG)
    drawn = np.concatenate([colours, 255 * opacity[..., None]], axis=2)
    return Image.fromarray(drawn.astype(np.uint8))
