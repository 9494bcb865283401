"""A user's own data: what each source finds, how it is divided, and what is refused how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow  # type: ignore[import-untyped]
import pytest
from configured import configured
from PIL import Image
from pyarrow import parquet

from pipeline import data
from pipeline.data.dataset import DataSets


def load(*words: str) -> DataSets:
    """What a command line's `dataset=` gives."""
    return data.load(configured(*words).dataset, Path("unused"))


def pictures(directory: Path, count: int = 10, size: tuple[int, int] = (20, 12)) -> Path:
    """Colour pictures, width x height, of three classes in folders, in mixed formats."""
    for label, name in enumerate(("blue", "green", "red")):
        (directory / name).mkdir(parents=True)
        for number in range(count):
            image = np.full((size[1], size[0], 3), number, np.uint8)
            image[..., 2 - label] += 200
            suffix = ("png", "bmp", "webp", "jpg")[number % 4]
            Image.fromarray(image).save(directory / name / f"{number:02}.{suffix}")
    return directory


def test_a_folder_a_class(tmp_path: Path) -> None:
    loaded = load("dataset=folder", f"dataset.directory={pictures(tmp_path)}")
    assert loaded.description.shape == (12, 20, 3)
    assert loaded.description.classes == ("blue", "green", "red")
    assert [part.num_examples for part in loaded] == [22, 2, 6]
    for part in loaded:
        brightest = part.pixels.mean(axis=(1, 2)).argmax(axis=1)
        np.testing.assert_array_equal(brightest, 2 - part.digits)


def test_train_and_test_folders(tmp_path: Path) -> None:
    pictures(tmp_path / "train", 8)
    pictures(tmp_path / "test", 3)
    loaded = load("dataset=folder", f"dataset.directory={tmp_path}", "dataset.validation_size=4")
    assert [part.num_examples for part in loaded] == [20, 4, 9]


@pytest.mark.parametrize(("resize", "corner"), [("stretch", 200), ("pad", 0), ("crop", 200)])
def test_mixed_sizes_by_a_policy(tmp_path: Path, resize: str, corner: int) -> None:
    pictures(tmp_path)
    Image.new("RGB", (40, 8), (0, 0, 200)).save(tmp_path / "blue" / "wide.png")
    loaded = load("dataset=folder", f"dataset.directory={tmp_path}", "dataset.size=[12,20]",
                  f"dataset.resize={resize}", "dataset.test_size=1", "dataset.validation_size=0")
    whole = np.concatenate([loaded.test.pixels, loaded.train.pixels])
    of_blue = whole[np.concatenate([loaded.test.digits, loaded.train.digits]) == 0]
    assert of_blue[-1, 0, 0, 2] == corner


def test_grey_pictures_keep_one_channel(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(5):
            Image.new("L", (6, 4), number).save(tmp_path / name / f"{number}.png")
    directory = f"dataset.directory={tmp_path}"
    assert load("dataset=folder", directory).description.shape == (4, 6, 1)
    assert load("dataset=folder", directory, "dataset.channels=colour").train.pixels.shape[3] == 3


def test_npz_by_the_names_of_keras(tmp_path: Path) -> None:
    """As CIFAR-10 comes: labels [n, 1], colour."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 32, 32, 3), np.uint8)
    labels = (np.arange(60) % 10)[:, None]
    np.savez(tmp_path / "cifar.npz", x_train=images[:40], y_train=labels[:40],
             x_test=images[40:], y_test=labels[40:])
    loaded = load("dataset=npz", f"dataset.path={tmp_path}/cifar.npz")
    assert [part.num_examples for part in loaded] == [36, 4, 20]
    np.testing.assert_array_equal(loaded.test.pixels, images[40:])
    np.testing.assert_array_equal(loaded.test.digits, labels[40:, 0])
    assert loaded.description.shape == (32, 32, 3)


def test_npy_files_with_texts_for_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.ones((20, 3)))
    np.save(tmp_path / "labels.npy", np.array(["no", "yes"] * 10))
    loaded = load("dataset=npz", f"dataset.path={tmp_path}")
    assert loaded.description.classes == ("no", "yes")
    assert loaded.train.pixels.dtype == np.float32


TABLE = "width,kind,height,id\n" + "".join(
    f"{k / 2},{'odd' if k % 2 else 'even'},{k},n{k}\n" for k in range(20))


def test_a_table(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    loaded = load("dataset=table", f"dataset.path={tmp_path}/rows.csv", "dataset.label=kind",
                  "dataset.ignore=[id]")
    assert loaded.description.shape == (2,)
    assert loaded.description.classes == ("even", "odd")
    np.testing.assert_array_equal(loaded.train.pixels[:, 1] % 2, loaded.train.digits)
    statistics = loaded.description.statistics
    assert statistics is not None
    np.testing.assert_allclose(statistics.mean, loaded.train.pixels.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(statistics.deviation, loaded.train.pixels.std(axis=0), rtol=1e-6)


def test_the_split_is_drawn_by_its_own_seed(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    words = ["dataset=table", f"dataset.path={tmp_path}/rows.csv", "dataset.label=kind",
             "dataset.ignore=[id]"]
    whole = configured(*words).dataset
    first, same = (data.load(whole, Path("unused"), seed) for seed in (0, 1))
    assert first.fingerprint == same.fingerprint
    assert first.fingerprint != load(*words, "dataset.split_seed=1").fingerprint


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "labels out of range": ({"labels": np.array([-1, 0, 1])}, "label -1 of example 0 is out of"),
    "floating labels": ({"labels": np.array([0.0, 1.0, 1.0])}, "labels are float64"),
    "one-hot labels": ({"labels": np.eye(3)}, r"save labels\.argmax"),
    "an empty class": ({"labels": np.array([0, 2, 2])}, "no examples of 1; every class"),
    "one class": ({"labels": np.zeros(3, int)}, "1 classes; expected 2"),
    "other lengths": ({"labels": np.array([0, 1])}, "3 examples but 2 labels"),
    "channels first": ({"images": np.zeros((3, 3, 8, 8), np.uint8)}, "channels first"),
    "wide integers": ({"images": np.zeros((3, 8, 8), np.int64)}, "pictures are int64"),
    "not finite": ({"images": np.full((3, 2), np.nan)}, "6 values are not finite"),
    "five axes": ({"images": np.zeros((3, 2, 2, 2, 2))}, "examples have shape"),
    "objects": ({"images": np.array([{}, {}, {}])}, "cannot be read as an array"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arrays_that_are_no_data_set(tmp_path: Path, name: str) -> None:
    changes, found = REFUSED[name]
    arrays = {"images": np.zeros((3, 4), np.uint8), "labels": np.array([0, 1, 1]), **changes}
    np.savez(tmp_path / "a.npz", allow_pickle=True, **arrays)
    with pytest.raises(data.DataError, match=found) as refused:
        load("dataset=npz", f"dataset.path={tmp_path}/a.npz")
    assert str(tmp_path / "a.npz") in str(refused.value)


def damage(directory: Path) -> None:
    (directory / "red" / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)


FOLDERS = {
    "a picture of another size": (lambda path: Image.new("RGB", (9, 9)).save(path / "red/z.png"),
                                  r"z\.png: is 9 x 9 pixels .* dataset\.resize=stretch"),
    "a damaged picture": (damage, r"00\.png: (not a picture|a damaged picture)"),
    "an empty class": (lambda path: (path / "white").mkdir(), "white: no pictures; every class"),
    "another file": (lambda path: (path / "red/x.txt").touch(), r"x\.txt: no picture by its name"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_that_are_no_data_set(tmp_path: Path, name: str) -> None:
    change, found = FOLDERS[name]
    change(pictures(tmp_path))
    with pytest.raises(data.DataError, match=found):
        load("dataset=folder", f"dataset.directory={tmp_path}")


ROWS = {
    "a text among numbers": ("a,label\nx,0\n1,1\n", "column a has 'x' in row 2"),
    "a short row": ("a,label\n1\n", "row 2 has 1 values"),
    "no label": ("a,b\n1,0\n2,1\n", "has 0 columns named"),
    "an empty label": ("a,label\n1,\n2,1\n", "column label is empty in row 2"),
    "nothing": ("", "its first row is"),
    "no rows": ("a,label\n", "has no rows below"),
}


@pytest.mark.parametrize("name", ROWS)
def test_tables_that_are_no_data_set(tmp_path: Path, name: str) -> None:
    text, found = ROWS[name]
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(data.DataError, match=found):
        load("dataset=table", f"dataset.path={tmp_path}/t.csv")


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    columns = list(zip(*[line.split(",") for line in TABLE.split()[1:]], strict=True))
    table = pyarrow.table({"width": list(map(float, columns[0])), "kind": list(columns[1]),
                           "height": list(map(int, columns[2])), "id": list(columns[3])})
    parquet.write_table(table, tmp_path / "rows.parquet")
    words = ["dataset=table", "dataset.label=kind", "dataset.ignore=[id]"]
    by_suffix = [load(*words, f"dataset.path={tmp_path}/rows.{suffix}").fingerprint
                 for suffix in ("csv", "parquet")]
    assert by_suffix[0] == by_suffix[1]
