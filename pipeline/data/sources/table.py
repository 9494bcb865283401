"""`dataset=table`: rows of numbers with a label each, from a `.csv` or a `.parquet` file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import budget
from pipeline.config.dataset import TableConfig
from pipeline.data.checking import Found, Labelled
from pipeline.data.errors import DataError, DataSettingError
from pipeline.reading import read_bytes

Columns = dict[str, Sequence[Any]]
_LABELS = ("label", "class", "target", "y")
_GROWTH = 20     # bytes in memory for each of a .csv: every value is a text first


def load(config: TableConfig) -> Found:
    """The rows of `config.path`: features float32 [n, columns], and their labels.

    Raises:
        DataError: there is no such file or column, a row is short, or a value is no number.
        MemoryBudgetError: the file takes more than the budget of memory.
    """
    train = _part(config, config.path, "path", None)
    features = train[1]
    test = _part(config, config.test_path, "test_path", features)[0] if config.test_path else None
    return Found(train[0], test)


def _part(
    config: TableConfig, path: str, key: str, features: list[str] | None
) -> tuple[Labelled, list[str]]:
    columns = _read(Path(path).expanduser(), key, config.delimiter)
    label = _label(config, columns, path)
    unknown = [name for name in config.ignore if name not in columns]
    if unknown:
        raise DataSettingError(f"dataset.ignore=[{', '.join(unknown)}]: {path} has no such column; "
                               f"it has {_listed(columns)}")
    own = [name for name in columns if name != label and name not in config.ignore]
    if features is not None and set(own) != set(features):
        other = sorted(set(own) ^ set(features))
        raise DataError(f"{path}: its columns are not those of {config.path}: "
                        f"{', '.join(other)}; both need the same, or name them in dataset.ignore")
    chosen = features or own
    if not chosen:
        raise DataError(f"{path}: has no column besides {label}; expected features")
    images = np.stack([_numbers(columns[name], name, path) for name in chosen], axis=1)
    return Labelled(images, _labels(columns[label], label, path), path), chosen


def _label(config: TableConfig, columns: Columns, path: str) -> str:
    if config.label is not None:
        if config.label not in columns:
            raise DataSettingError(f"dataset.label={config.label}: {path} has no such column; it "
                                   f"has {_listed(columns)}")
        return config.label
    found = [name for name in columns if name.lower() in _LABELS]
    if len(found) != 1:
        raise DataSettingError(f"dataset.label: {path} has {len(found)} columns named "
                               f"{', '.join(_LABELS)}; say which is the label of "
                               f"{_listed(columns)}")
    return found[0]


def _read(path: Path, key: str, delimiter: str) -> Columns:
    try:
        if path.suffix.lower() == ".parquet":
            return _parquet(path)
        budget.current().require(_GROWTH * path.stat().st_size, str(path))
        text = read_bytes(path).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except OSError as error:
        raise DataSettingError(f"dataset.{key}={path}: cannot be read ({error.strerror}); expected "
                               "a .csv or .parquet file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is no table in UTF-8 ({error}); save it as .csv with a first row "
                        "of names") from None
    return _columns(path, rows)


def _columns(path: Path, rows: list[list[str]]) -> Columns:
    names = [name.strip() for name in rows[0]] if rows else []
    if len(set(names)) != len(names) or len(names) < 2:
        raise DataError(f"{path}: its first row is {_listed(names)}; expected the names of at "
                        "least two columns, all different (other delimiter: dataset.delimiter=;)")
    body = [(number, row) for number, row in enumerate(rows[1:], 2) if row]
    for number, row in body:
        if len(row) != len(names):
            raise DataError(f"{path}: row {number:,} has {len(row)} values, its first row "
                            f"{len(names)} names; repair the row")
    if not body:
        raise DataError(f"{path}: has no rows below its first, the names")
    return {name: [row[k].strip() for _, row in body] for k, name in enumerate(names)}


def _parquet(path: Path) -> Columns:
    """By pyarrow, of the extra `parquet`."""
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]
    except ImportError:
        raise DataSettingError(f"{path}: .parquet needs pyarrow, which is not installed; pip "
                               "install 'jaxfrost[parquet]', or save the table as .csv") from None
    content = read_bytes(path)
    try:
        with parquet.ParquetFile(io.BytesIO(content)) as file:
            rows, width = file.metadata.num_rows, file.metadata.num_columns
            budget.current().require(8 * rows * width, str(path))
            table = file.read()
    except (ArrowException, OSError) as error:
        raise DataError(f"{path}: is no Parquet file, or a damaged one "
                        f"({str(error).partition(chr(10))[0]}); save it again") from error
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _numbers(values: Sequence[Any], name: str, path: str) -> NDArray[np.float32]:
    try:
        return np.array([float(value) for value in values], np.float32)
    except (TypeError, ValueError):
        row = next(k for k, value in enumerate(values) if not _is_number(value))
        raise DataError(f"{path}: column {name} has {values[row]!r} in row {row + 2:,}; features "
                        "are numbers: write the value as one, or name the column in "
                        "dataset.ignore") from None


def _labels(values: Sequence[Any], name: str, path: str) -> NDArray[Any]:
    """Whole numbers where all are, else texts."""
    if any(value is None or value == "" for value in values):
        row = next(k for k, value in enumerate(values) if value is None or value == "")
        raise DataError(f"{path}: column {name} is empty in row {row + 2:,}; every row needs its "
                        "label")
    texts = [str(value) for value in values]
    if all(text.isascii() and text.isdecimal() and len(text) < 10 for text in texts):
        return np.array([int(text) for text in texts])
    return np.array(texts)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _listed(names: Any) -> str:
    shown = list(names)
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")
