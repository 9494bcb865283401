"""`BatchIndices` against TF 1.15's `next_batch`, written down independently and naively."""

from __future__ import annotations

import os

import numpy as np
import pytest

from pipeline.data import BatchIndices, DataSet

CASES = int(os.environ.get("JAXFROST_CASES", "2000"))   # batches compared with the naive form


class Tf1:
    """The semantics as told in docs/data.md: whole arrays copied, NumPy's global generator."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.epochs_completed = 0
        self.start = 0

    def permute(self) -> None:
        permutation = np.arange(len(self.images))
        np.random.shuffle(permutation)
        self.images, self.labels = self.images[permutation], self.labels[permutation]

    def next_batch(self, size: int, shuffle: bool) -> tuple[np.ndarray, np.ndarray]:
        if shuffle and self.start == 0 and self.epochs_completed == 0:
            self.permute()
        if self.start + size <= len(self.images):
            taken = slice(self.start, self.start + size)
            self.start += size
            return self.images[taken], self.labels[taken]
        self.epochs_completed += 1
        rest = self.images[self.start:], self.labels[self.start:]
        if shuffle:
            self.permute()
        self.start = size - len(rest[0])
        return (np.concatenate([rest[0], self.images[:self.start]]),
                np.concatenate([rest[1], self.labels[:self.start]]))


def stream(count: int = 10, seed: int = 0) -> BatchIndices:
    return BatchIndices(count, np.random.RandomState(seed))


def test_golden_sequence_of_tf_1_15() -> None:
    """Recorded from TensorFlow 1.15.5's own file: n=10, seed 0, batch 4."""
    assert stream().take(5, 4).tolist() == [
        [2, 8, 4, 9], [1, 6, 7, 3], [0, 5, 9, 6], [8, 4, 5, 0], [2, 7, 3, 1]]


@pytest.mark.parametrize("count", [1, 7, 128, 337])
def test_equal_to_the_naive_form_over_mixed_batches(count: int) -> None:
    random = np.random.default_rng(count)
    pixels = random.integers(0, 256, (count, 28, 28), np.uint8)
    digits = random.integers(0, 10, count, np.uint8)
    ours = DataSet(pixels, digits, np.random.RandomState(42))
    theirs = Tf1(pixels.reshape(-1, 784).astype(np.float32) * np.float32(1 / 255), digits)
    np.random.seed(42)
    for _ in range(CASES // 4):
        size, shuffle = int(random.integers(1, min(count, 128) + 1)), bool(random.random() < 0.8)
        images, labels = ours.next_batch(size, shuffle=shuffle)
        expected_images, expected_labels = theirs.next_batch(size, shuffle)
        assert images.tobytes() == expected_images.tobytes()
        assert labels.tobytes() == expected_labels.tobytes()
        assert ours.epochs_completed == theirs.epochs_completed
    assert ours.images.tobytes() == theirs.images.tobytes()
    assert ours.labels.tobytes() == theirs.labels.tobytes()


def test_take_is_so_many_next_batches() -> None:
    at_once, one_by_one = stream(17), stream(17)
    taken = at_once.take(23, 5)
    assert taken.dtype == np.int32
    assert taken.tolist() == [one_by_one.take(1, 5)[0].tolist() for _ in range(23)]
    assert at_once.epochs_completed == one_by_one.epochs_completed


def test_an_exact_multiple_completes_the_epoch_on_the_next_call() -> None:
    indices = stream()
    assert sorted(indices.take(2, 5).ravel()) == list(range(10))
    assert indices.epochs_completed == 0
    indices.take(1, 5)
    assert indices.epochs_completed == 1


def test_a_batch_across_the_end_joins_both_epochs() -> None:
    indices = stream()
    taken = indices.take(5, 4).ravel()
    assert sorted(taken[:10]) == sorted(taken[10:]) == list(range(10))


def test_unshuffled_batches_come_in_order() -> None:
    indices = stream(5)
    assert indices.take(3, 3, shuffle=False).tolist() == [[0, 1, 2], [3, 4, 0], [1, 2, 3]]
    assert indices.shuffles == 0


@pytest.mark.parametrize("size", [0, -1, 11])
def test_a_batch_that_is_no_batch_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"batch_size={size}: expected 1 to 10"):
        stream().take(1, size)


@pytest.mark.parametrize("done", [0, 1, 2, 3, 7])
def test_a_restored_stream_goes_on_as_if_never_stopped(done: int) -> None:
    going, fresh = stream(), stream(seed=99)
    going.take(done, 4)
    state = {key: value.copy() for key, value in going.state().items()}
    going_on = going.take(6, 4)
    fresh.take(3, 3)
    fresh.restore(state)
    assert fresh.take(6, 4).tolist() == going_on.tolist()
    assert fresh.epochs_completed == going.epochs_completed


def test_the_state_has_the_same_shapes_and_dtypes_at_any_time() -> None:
    indices = stream()
    before = {key: (value.shape, value.dtype) for key, value in indices.state().items()}
    taken = indices.state()
    indices.take(9, 4)
    assert {key: (value.shape, value.dtype) for key, value in indices.state().items()} == before
    assert taken["position"] == 0, "a state taken earlier does not move on"


def test_the_state_also_survives_as_plain_wider_arrays() -> None:
    """As a checkpoint library may hand it back: Python ints, int64 for int32."""
    going, fresh = stream(), stream(seed=1)
    going.take(3, 4)
    wider = {key: np.asarray(value.tolist()) for key, value in going.state().items()}
    fresh.restore(wider)
    assert fresh.take(2, 4).tolist() == going.take(2, 4).tolist()


def test_a_state_that_does_not_fit_is_refused() -> None:
    indices = stream()
    with pytest.raises(ValueError, match=r"order: found shape \(11,\), expected \(10,\)"):
        indices.restore(stream(11).state())
    with pytest.raises(ValueError, match="expected \\['epochs_completed'"):
        indices.restore({})
    for key, value in (("order", np.zeros(10)), ("position", 11), ("random_place", 625)):
        with pytest.raises(ValueError, match="the saved state is damaged"):
            indices.restore({**indices.state(), key: np.array(value, np.int64)})


def test_splits_that_share_a_generator_draw_from_it_in_turn() -> None:
    random = np.random.RandomState(3)
    first, second = BatchIndices(10, random), BatchIndices(10, random)
    np.random.seed(3)
    theirs = [Tf1(np.arange(10), np.arange(10)) for _ in range(2)]
    for _ in range(4):
        assert first.take(1, 7)[0].tolist() == theirs[0].next_batch(7, True)[0].tolist()
        assert second.take(1, 4)[0].tolist() == theirs[1].next_batch(4, True)[0].tolist()
