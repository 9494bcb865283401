"""`DataSet` and `DataSets`: examples in their source's order, and over them TF 1.15's view."""

from __future__ import annotations

import hashlib
import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.data.description import MNIST_SHAPED, Description
from pipeline.data.errors import DataSettingError
from pipeline.data.indices import BatchIndices

UInt8 = NDArray[np.uint8]
Examples = NDArray[np.uint8] | NDArray[np.float32]
Labels = NDArray[np.uint8] | NDArray[np.int32]


class Arrays(NamedTuple):
    """A whole data set in IDX order: uint8 images [n, 28, 28] and labels [n], both splits."""

    train_images: UInt8
    train_labels: UInt8
    test_images: UInt8
    test_labels: UInt8


class View(NamedTuple):
    """How TF1's attributes show the examples: the arguments of `read_data_sets`."""

    dtype: np.dtype[Any] = np.dtype(np.float32)
    reshape: bool = True
    one_hot: bool = False
    num_classes: int = 10

    def images(self, pixels: Examples) -> NDArray[Any]:
        """[n, 784] or [n, 28, 28, 1]; float32 is x · (1/255), TF1's rounding, not x / 255."""
        whole = pixels.shape if pixels.ndim != 3 else (*pixels.shape, 1)
        images = pixels.reshape((len(pixels), math.prod(whole[1:])) if self.reshape else whole)
        if self.dtype == np.uint8 or pixels.dtype != np.uint8:
            return images
        return np.multiply(images, np.float32(1.0 / 255.0), dtype=np.float32)

    def labels(self, digits: Labels) -> NDArray[Any]:
        """uint8 [n], or one-hot float64 [n, 10]."""
        return np.eye(self.num_classes)[digits] if self.one_hot else digits


class DataSet:
    """One split.

    `pixels` [n, height, width] of ink, [n, height, width, channels] or [n, features], uint8 or
    float32, and their labels `digits` [n] stay in their source's order for ever and are read-only.
    `images`, `labels` and `next_batch` are TF 1.15's: floats made on demand, in an order that
    `next_batch` shuffles.
    """

    def __init__(self, pixels: Examples, digits: Labels, random: np.random.RandomState,
                 view: View | None = None) -> None:
        self.pixels = _read_only(pixels)
        self.digits = _read_only(digits)
        self.indices = BatchIndices(len(pixels), random)
        self._view = view or View()
        self._shown: tuple[int, NDArray[Any], NDArray[Any]] | None = None

    @property
    def num_examples(self) -> int:
        """How many examples the split has."""
        return len(self.pixels)

    @property
    def epochs_completed(self) -> int:
        """How often a batch of `next_batch` has crossed the end of the split."""
        return self.indices.epochs_completed

    @property
    def images(self) -> NDArray[Any]:
        """All images in the order of the current epoch: float32 [n, 784] in 0..1 by default."""
        return self._arrays()[0]

    @property
    def labels(self) -> NDArray[Any]:
        """All labels in the order of the current epoch: uint8 [n], or one-hot float64 [n, 10]."""
        return self._arrays()[1]

    def next_batch(self, batch_size: int, fake_data: bool = False,
                   shuffle: bool = True) -> tuple[Any, Any]:
        """The next `batch_size` images and labels, as TF 1.15 orders them.

        Raises:
            ValueError: `batch_size` is not between 1 and `num_examples`.
        """
        if fake_data:
            return fake_batch(batch_size, self._view.one_hot)
        chosen = self.indices.take(1, batch_size, shuffle)[0]
        return self._view.images(self.pixels[chosen]), self._view.labels(self.digits[chosen])

    def _arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        if self._shown is None or self._shown[0] != self.indices.shuffles:
            order = self.indices.order
            self._shown = (self.indices.shuffles, self._view.images(self.pixels[order]),
                           self._view.labels(self.digits[order]))
        return self._shown[1], self._shown[2]


class FakeDataSet(DataSet):
    """TF1's `fake_data=True`: 10,000 examples that are all the same, as Python lists."""

    def __init__(self, view: View) -> None:
        super().__init__(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8),
                         np.random.RandomState(0), view)

    @property
    def num_examples(self) -> int:
        """10000, as in TF1; `pixels` and `images` are empty all the same."""
        return 10000

    def next_batch(self, batch_size: int, fake_data: bool = True,
                   shuffle: bool = True) -> tuple[Any, Any]:
        """`batch_size` times [1] · 784 and the label 0, whatever the arguments say."""
        return fake_batch(batch_size, self._view.one_hot)


def fake_batch(batch_size: int, one_hot: bool) -> tuple[list[list[int]], list[Any]]:
    """TF1's `next_batch(fake_data=True)`: lists of [1] · 784, and of 0 or [1, 0, …]."""
    label: Any = [1] + [0] * 9 if one_hot else 0
    return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]


class _Splits(NamedTuple):
    train: DataSet
    validation: DataSet
    test: DataSet


class DataSets(_Splits):
    """`train`, `validation`, `test`, as a named tuple like TF1's, plus what they are."""

    name: str
    description: Description

    def __new__(cls, train: DataSet, validation: DataSet, test: DataSet, name: str = "",
                description: Description = MNIST_SHAPED) -> DataSets:
        """Three splits, and what a copy gets from the original: name and description."""
        made = super().__new__(cls, train, validation, test)
        made.name, made.description = name, description
        return made

    @cached_property
    def fingerprint(self) -> str:
        """sha256, in hex, of all pixels and labels and of where the splits part."""
        digest = hashlib.sha256()
        for part in (self.validation, self.train, self.test):
            digest.update(f"{len(part.pixels)}\n".encode())
            digest.update(part.pixels.tobytes())
            digest.update(part.digits.tobytes())
        return digest.hexdigest()


def split(arrays: Arrays, validation_size: int, *, name: str, seed: int | None = None,
          view: View | None = None, description: Description = MNIST_SHAPED) -> DataSets:
    """TF1's splits: validation is the first `validation_size` training examples, in IDX order.

    The three splits share one `RandomState(seed)`, as TF1's share NumPy's global one.

    Raises:
        DataSettingError: `validation_size` is negative or more than there are training examples.
    """
    total = len(arrays.train_images)
    if not 0 <= validation_size <= total:
        raise DataSettingError(f"Validation size should be between 0 and {total}. "
                               f"Received: {validation_size}.")
    random = np.random.RandomState(seed)

    def make(images: UInt8, labels: UInt8) -> DataSet:
        return DataSet(images, labels, random, view)

    return DataSets(
        make(arrays.train_images[validation_size:], arrays.train_labels[validation_size:]),
        make(arrays.train_images[:validation_size], arrays.train_labels[:validation_size]),
        make(arrays.test_images, arrays.test_labels),
        name=name, description=description,
    )


def as_view(dtype: DTypeLike, reshape: bool, one_hot: bool) -> View:
    """The view that `read_data_sets`' arguments ask for.

    Raises:
        TypeError: a dtype other than uint8 and float32, in TF1's words.
    """
    found = np.dtype(dtype)
    if found not in (np.uint8, np.float32):
        raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
    return View(found, reshape, one_hot)


def _read_only(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view
