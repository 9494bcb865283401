"""`DataSet`, `DataSets` and TF1's view of them."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from idx_files import arrays

from pipeline.data import DataError, DataSet, DataSets
from pipeline.data.dataset import View, as_view, split


def make(validation_size: int = 10, seed: int | None = 0, view: View | None = None) -> DataSets:
    return split(arrays(), validation_size, name="made up", seed=seed, view=view)


def test_validation_is_the_first_of_the_training_file() -> None:
    made, source = make(), arrays()
    assert (made.validation.pixels == source.train_images[:10]).all()
    assert (made.train.digits == source.train_labels[10:]).all()
    assert (made.test.pixels == source.test_images).all()
    assert [part.num_examples for part in made] == [50, 10, 20]


@pytest.mark.parametrize("size", [-1, 61])
def test_an_impossible_validation_size_is_told_as_tf1_told_it(size: int) -> None:
    with pytest.raises(DataError) as caught:
        make(size)
    assert str(caught.value) == f"Validation size should be between 0 and 60. Received: {size}."


def test_all_or_nothing_may_be_validation() -> None:
    assert make(0).validation.num_examples == 0
    assert make(60).train.images.shape == (0, 784)


def test_images_are_multiplied_not_divided() -> None:
    """x · (1/255) and x / 255 differ in the last bit for some of the 256 levels."""
    pixels = np.resize(np.arange(256, dtype=np.uint8), (1, 28, 28))
    images = DataSet(pixels, np.zeros(1, np.uint8), np.random.RandomState(0)).images
    assert images.dtype == np.float32
    expected = pixels.astype(np.float32) * np.float32(1.0 / 255.0)
    assert images.tobytes() == expected.tobytes()
    assert images.tobytes() != (pixels.astype(np.float32) / np.float32(255)).tobytes()


@pytest.mark.parametrize(("dtype", "reshape", "shape"), [
    (np.float32, True, (50, 784)), (np.float32, False, (50, 28, 28, 1)),
    (np.uint8, True, (50, 784)), ("uint8", False, (50, 28, 28, 1)),
])
def test_views(dtype: type, reshape: bool, shape: tuple[int, ...]) -> None:
    train = make(view=as_view(dtype, reshape, one_hot=False)).train
    assert train.images.shape == shape
    assert train.images.dtype == dtype
    assert train.next_batch(3)[0].shape == (3, *shape[1:])
    assert train.labels.dtype == np.uint8
    if train.images.dtype == np.uint8:
        assert (train.images.sum(), train.images.max()) == (train.pixels.sum(), 255)


def test_one_hot_labels_are_float64() -> None:
    train = make(view=as_view(np.float32, True, one_hot=True)).train
    assert (train.labels.dtype, train.labels.shape) == (np.float64, (50, 10))
    assert (train.labels.argmax(axis=1) == train.digits).all()
    assert (train.labels.sum(axis=1) == 1).all()


def test_another_dtype_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Invalid image dtype .*, expected uint8 or float32"):
        as_view(np.float64, True, False)


def test_images_follow_the_shuffles_and_pixels_do_not() -> None:
    train = make().train
    before = train.images
    assert train.images is before, "made once as long as the order stands"
    images, labels = train.next_batch(50)
    assert (train.images == images).all()
    assert (train.labels == labels).all()
    assert not (train.images == before).all()
    assert (train.pixels == arrays().train_images[10:]).all()


def test_pixels_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make().train.pixels[0] = 0


def test_the_same_seed_gives_the_same_batches_and_none_a_fresh_order() -> None:
    def batches(seed: int | None) -> list[int]:
        train = make(seed=seed).train
        return [train.next_batch(20)[0].sum() for _ in range(4)]

    assert batches(5) == batches(5)
    assert batches(5) != batches(6)
    assert batches(None) != batches(None)


def test_fake_batches() -> None:
    images, labels = make().train.next_batch(2, fake_data=True)
    assert (images, labels) == ([[1] * 784] * 2, [0, 0])


def test_the_fingerprint_knows_content_and_splits() -> None:
    assert make().fingerprint == make(seed=1).fingerprint
    other = arrays()
    other.test_labels[-1] ^= 1
    prints = {make().fingerprint, make(11).fingerprint,
              split(other, 10, name="made up").fingerprint}
    assert len(prints) == 3


def test_data_sets_unpack_copy_and_pickle_like_a_named_tuple() -> None:
    made = make()
    train, validation, test = made
    assert (train, validation, test) == (made.train, made.validation, made.test)
    for again in (copy.copy(made), pickle.loads(pickle.dumps(made))):
        assert (again.name, again.fingerprint) == ("made up", made.fingerprint)
