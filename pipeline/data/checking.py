"""What a source found, and whether it is a data set: shapes, types, labels, classes.

The checks are the same for every source, so that each only has to find arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.dataset import Examples, Labels
from pipeline.data.errors import DataError

_MOST_CHANNELS = 4
_MOST_CLASSES = 65536


@dataclass(frozen=True)
class Labelled:
    """Examples [n, height, width(, channels)] or [n, features], labels [n], and whose they are."""

    images: NDArray[Any]
    labels: NDArray[Any]           # whole numbers from 0, or texts
    where: str                     # for errors: a file, or a part of one


@dataclass(frozen=True)
class Found:
    """What a source has; what it lacks of the splits is made by dividing."""

    train: Labelled
    test: Labelled | None = None
    validation: Labelled | None = None
    classes: Sequence[str] | None = None

    @property
    def parts(self) -> list[Labelled]:
        """Those that there are."""
        return [part for part in (self.train, self.validation, self.test) if part is not None]


@dataclass(frozen=True)
class Checked:
    """One part after its checks."""

    pixels: Examples
    digits: Labels


def check(found: Found, names: Sequence[str] | None) -> tuple[dict[str, Checked], tuple[str, ...]]:
    """The parts with examples as uint8 or float32 and labels as numbers; the classes' names.

    Args:
        found: by a source.
        names: the configuration's `dataset.classes`.

    Raises:
        DataError: names the part, what is wrong with it and what to do.
    """
    for given in found.parts:
        _require_labels(given)
    classes = _classes(found, names)
    parts = {name: part for name, part in (("train", found.train), ("test", found.test),
                                           ("validation", found.validation)) if part is not None}
    checked = {name: Checked(_examples(part), _labels(part, classes))
               for name, part in parts.items()}
    first = checked["train"].pixels
    for name, part in checked.items():
        where = parts[name].where
        if part.pixels.shape[1:] != first.shape[1:] or part.pixels.dtype != first.dtype:
            raise DataError(f"{where}: examples are {_kind(part.pixels)}, those of "
                            f"{found.train.where} are {_kind(first)}; they must be alike")
    present = np.unique(np.concatenate([part.digits for part in checked.values()]))
    if len(present) < len(classes):
        missing = [classes[k] for k in np.setdiff1d(np.arange(len(classes)), present)[:5]]
        raise DataError(f"{found.train.where}: no examples of {', '.join(missing)}; every class "
                        "needs some: add them, or leave the class out")
    return checked, classes


def _classes(found: Found, names: Sequence[str] | None) -> tuple[str, ...]:
    """The configuration's names, the source's, those of labels that are texts, or numbers."""
    texts = [part.labels for part in found.parts if part.labels.dtype.kind in "US"]
    if texts:
        own = sorted({str(one) for part in texts for one in part.reshape(-1)})
    elif found.classes is not None:
        own = [str(name) for name in found.classes]
    else:
        highest = max((int(part.labels.max()) for part in found.parts
                       if part.labels.size and part.labels.dtype.kind in "iu"), default=-1)
        own = [str(k) for k in range(min(highest, _MOST_CLASSES) + 1)]
    chosen = list(own if names is None else names)
    if texts and names is not None and set(own) - set(names):
        raise DataError(f"{found.train.where}: has the labels {', '.join(own[:10])}, but "
                        f"dataset.classes names {', '.join(chosen[:10])}; name them all")
    if len(set(chosen)) != len(chosen):
        raise DataError(f"{found.train.where}: the names of the classes, {', '.join(chosen[:10])}, "
                        "are not all different")
    if not 2 <= len(chosen) <= _MOST_CLASSES:
        raise DataError(f"{found.train.where}: {len(chosen)} classes; expected 2 to "
                        f"{_MOST_CLASSES:,}")
    return tuple(chosen)


def _examples(part: Labelled) -> Examples:
    images = part.images
    if images.ndim not in (2, 3, 4) or 0 in images.shape:
        raise DataError(f"{part.where}: examples have shape {list(images.shape)}; expected [n, "
                        "height, width, channels], [n, height, width] or [n, features], none 0")
    if images.ndim == 4 and images.shape[3] > _MOST_CHANNELS >= images.shape[1]:
        raise DataError(f"{part.where}: pictures of shape {list(images.shape)} have their channels "
                        "first; expected them last: save images.transpose(0, 2, 3, 1)")
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if images.dtype.kind in "iub" and images.ndim > 2:
        raise DataError(f"{part.where}: pictures are {images.dtype}; expected uint8 (0 to 255) or "
                        "floating point: save images.astype('uint8')")
    if images.dtype.kind not in "iubf":
        raise DataError(f"{part.where}: examples are {images.dtype}; expected numbers")
    with np.errstate(over="ignore"):
        made = np.ascontiguousarray(images, np.float32)
    wrong = np.argwhere(~np.isfinite(made))
    if len(wrong):
        raise DataError(f"{part.where}: {len(wrong):,} values are not finite numbers, the first in "
                        f"example {wrong[0][0]:,}; replace them, or leave these examples out")
    return made


def _require_labels(part: Labelled) -> None:
    labels = part.labels
    if labels.ndim != 1 and labels.shape[1:] != (1,):    # Keras has CIFAR's so
        raise DataError(f"{part.where}: labels have shape {list(labels.shape)}; expected [n], a "
                        "class number each: of one-hot labels save labels.argmax(axis=1)")
    if len(labels) != len(part.images):
        raise DataError(f"{part.where}: {len(part.images):,} examples but {len(labels):,} labels; "
                        "they do not belong together")
    if labels.dtype.kind not in "iuUS":
        raise DataError(f"{part.where}: labels are {labels.dtype}; expected whole numbers or "
                        "texts: save labels.astype('int32')")


def _labels(part: Labelled, classes: Sequence[str]) -> Labels:
    labels = part.labels.reshape(-1)
    if labels.dtype.kind in "US":
        numbers = {name: k for k, name in enumerate(classes)}
        labels = np.array([numbers[str(one)] for one in labels])
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(wrong):
        raise DataError(f"{part.where}: label {labels[wrong[0]]} of example {wrong[0]:,} is out of "
                        f"range ({len(wrong):,} such labels); expected 0 to {len(classes) - 1} for "
                        f"{len(classes)} classes: number them so, or name more in dataset.classes")
    return labels.astype(np.uint8) if len(classes) <= 256 else labels.astype(np.int32)


def _kind(pixels: Examples) -> str:
    return f"{pixels.dtype} {list(pixels.shape[1:])}"
