"""The embedded digits: whole, and enlarged to the same grey levels everywhere."""

from __future__ import annotations

import gzip
import hashlib
import logging
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import DataError, digits
from pipeline.data.regenerate_digits import main, parse, write

# sha256 of the bytes of the arrays, as made from scikit-learn 1.9.1's digits.csv.gz
SMALL = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
LABELS = "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"
LARGE = "7baac007ac20d9297e2f67d86ee46cfe6c2c58efb1b021232f300e1b44294273"


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def table(path: Path, rows: int = 1797, number: str = "%g") -> Path:
    """The embedded digits as the text table they came from."""
    small, labels = digits.embedded()
    lines = np.column_stack([small.reshape(-1, 64), labels])[:rows]
    np.savetxt(path, lines, fmt=number, delimiter=",")
    return path


def test_the_published_values() -> None:
    small, labels = digits.embedded()
    assert (small.shape, small.dtype, small.max()) == ((1797, 8, 8), np.uint8, 16)
    assert (sha256(small), sha256(labels)) == (SMALL, LABELS)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_enlarged_to_the_grey_level() -> None:
    large = digits.enlarge(digits.embedded()[0])
    assert (large.shape, large.dtype) == ((1797, 28, 28), np.uint8)
    assert sha256(large) == LARGE


def test_no_grey_level_hangs_on_the_last_bit() -> None:
    """Values moved by 1e-9, far more than two BLAS libraries differ, give the same pixels."""
    small = digits.embedded()[0]
    expected = digits.enlarge(small)
    noise = np.random.default_rng(0).uniform(-1e-9, 1e-9, small.shape)
    assert (digits.enlarge(small + noise) == expected).all()


def test_the_centre_of_mass_is_in_the_middle() -> None:
    large = digits.enlarge(digits.embedded()[0]).astype(float)
    mass = large.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = large.sum(axis=axis) @ np.arange(28) / mass
        assert abs(centre - 13.5).max() < 0.51


def test_the_split_keeps_the_file_order() -> None:
    loaded = digits.load_digits()
    labels = digits.embedded()[1]
    assert (loaded.train_images.shape, loaded.test_images.shape) == ((1437, 28, 28), (360, 28, 28))
    assert (np.concatenate([loaded.train_labels, loaded.test_labels]) == labels).all()
    assert set(np.bincount(loaded.test_labels)) <= {33, 34, 35, 36, 37}


def test_the_log_says_that_it_is_no_substitute(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pipeline.data"):
        digits.load_digits()
    assert "no substitute for MNIST" in caplog.text
    assert "50 % of MNIST's test images" in caplog.text
    assert "dataset=mnist" in caplog.text


def test_the_licence_is_shipped() -> None:
    text = resources.files("pipeline.data").joinpath("embedded", "LICENCE.txt").read_text()
    for needed in ("CC BY 4.0", "Alpaydin", "10.24432/C50P49", "scikit-learn", "Redistribution"):
        assert needed in text


@pytest.mark.parametrize("number", ["%d", "%.18e"])
def test_regenerated_from_the_table(tmp_path: Path, number: str) -> None:
    source = table(tmp_path / "optdigits.tes", number=number)
    target = tmp_path / "made.npz"
    write(source, target)
    with np.load(target, allow_pickle=False) as made:
        assert (sha256(made["images"]), sha256(made["labels"])) == (SMALL, LABELS)
    first = target.read_bytes()
    write(source, target)
    assert target.read_bytes() == first


def test_regenerated_from_a_gzipped_table(tmp_path: Path) -> None:
    plain = table(tmp_path / "digits.csv")
    packed = tmp_path / "digits.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert sha256(parse(packed)[0]) == SMALL


def test_another_table_is_refused(tmp_path: Path) -> None:
    source = table(tmp_path / "short.csv", rows=9)
    with pytest.raises(DataError, match=r"short.csv: found a table of \(9, 65\), expected"):
        parse(source)
    wrong = table(tmp_path / "wrong.csv", number="%d")
    wrong.write_text(wrong.read_text().replace("0,0,5", "0,1,5", 1))
    with pytest.raises(DataError, match=r"wrong.csv: not the published table"):
        parse(wrong)


def test_the_command_line_names_what_is_wrong(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["regenerate_digits", str(tmp_path / "absent")])
    with pytest.raises(SystemExit):
        main()
    assert "absent" in capsys.readouterr().err
