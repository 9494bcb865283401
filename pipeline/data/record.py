"""`data.json`: what a run says of its data, so that its model can be used where they are not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pipeline import runs
from pipeline.data.description import Description, Statistics
from pipeline.files import write_atomically

FILE_NAME = "data.json"


@dataclass(frozen=True, kw_only=True)
class _Record:
    """The file's content."""

    schema_version: int
    shape: Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=1, max_length=3)]
    classes: Annotated[list[str], Field(min_length=2)]
    mean: list[float] | None = None
    deviation: list[Annotated[float, Field(gt=0)]] | None = None


def save_description(description: Description, directory: Path) -> None:
    """Writes it into a run's directory, whole or not at all."""
    content: dict[str, Any] = {"schema_version": 1, "shape": description.shape,
                               "classes": description.classes}
    if description.statistics is not None:
        content |= {"mean": description.statistics.mean.tolist(),
                    "deviation": description.statistics.deviation.tolist()}
    write_atomically(directory / FILE_NAME, json.dumps(content, indent=1) + "\n")


def load_description(directory: Path) -> Description | None:
    """What a run's directory says of its data; None where it says nothing.

    Raises:
        RecordError: the file is damaged.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return None
    record = runs.read_json(path, _Record, "restore the file from the run's own")
    statistics = None
    if record.mean is not None and record.deviation is not None:
        statistics = Statistics(np.asarray(record.mean, np.float32),
                                np.asarray(record.deviation, np.float32))
    return Description(tuple(record.shape), tuple(record.classes), statistics)
