"""What a picture shows, by any saved model."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import data, evaluate, model, persistence
from pipeline.config import ConfigError
from pipeline.config.model import ModelConfig
from pipeline.data.images import Resize, read_image
from pipeline.data.pictures import SUFFIXES, read_picture
from pipeline.gate import ExitCode

_UNBROKEN = 10_000    # columns
_LISTED = 20          # classes whose probabilities stand in a table


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture, or why it could not be asked."""

    input: str
    probabilities: list[float] = field(default_factory=list)
    classes: Sequence[str] = ()    # names by label; none where they are the numbers themselves
    error: str = ""
    exit_code: ExitCode = ExitCode.PASSED

    @property
    def label(self) -> int:
        """The class it is held for."""
        return int(np.argmax(self.probabilities))

    def record(self) -> dict[str, Any]:
        """As JSON."""
        if self.error:
            return {"input": self.input, "error": self.error}
        named = {"class": self.classes[self.label]} if self.classes else {}
        return {"input": self.input, "label": self.label, **named,
                "probability": self.probabilities[self.label],
                "probabilities": self.probabilities}


def print_predictions(predictions: Sequence[Prediction], form: Literal["json", "table"]) -> None:
    """To standard output, and to standard error what could not be read."""
    if form == "json":
        print(json.dumps([one.record() for one in predictions], indent=2, allow_nan=False))
    else:
        # Into a pipe every line goes whole.
        console = Console(width=None if sys.stdout.isatty() else _UNBROKEN)
        console.print(_table(predictions))
    failed = [one.error for one in predictions if one.error]
    print(*failed, sep="\n", end="\n" if failed else "", file=sys.stderr)


def find_pictures(inputs: str | Sequence[str] | None) -> list[Path]:
    """The files that `input` names: itself, its entries, and what directories hold, by name.

    Raises:
        ConfigError: nothing is named, or a directory holds no pictures.
    """
    given = [inputs] if isinstance(inputs, str) else list(inputs or ())
    if not given:
        raise ConfigError("input: task=predict needs it; give a picture, several as "
                          "input=[a.png,b.png], or a directory of them")
    found: list[Path] = []
    for path in map(Path, given):
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) \
            if path.is_dir() else [path]
        if not inside:
            raise ConfigError(f"input={path}: no pictures in this directory; expected names that "
                              f"end in {', '.join(SUFFIXES)}")
        found += inside
    return found


def predict_files(
    restore: Path, network: model.Network, description: data.Description, files: Sequence[Path],
    config: ModelConfig, resize: Resize = "refuse",
) -> list[Prediction]:
    """One prediction for each file, in their order.

    Args:
        restore: where the model lies.
        network: the model's, for data of that `description`.
        description: of what the model was trained on.
        files: pictures.
        config: what `network` was built from.
        resize: what is done with a picture of another size than the model takes.

    Raises:
        PersistenceError: there is no such model, or it does not fit.
        ArtifactError: what it says is not finite.
    """
    read = [_read(path, description, resize) for path in files]
    pixels = [one for one in read if not isinstance(one, data.DataError)]
    stacked = np.stack(pixels) if pixels else np.zeros((0, *description.shape), np.uint8)
    logits = persistence.load_logits(restore, network, stacked, config)
    if not np.isfinite(logits).all():
        raise persistence.ArtifactError(
            f"{restore}: the model's logits are not finite; it diverged, or its file is damaged")
    rows = iter(np.exp(evaluate.log_softmax(logits)).tolist())
    names = () if description.is_numbered else description.classes
    return [Prediction(str(path), error=str(one), exit_code=ExitCode(one.exit_code))
            if isinstance(one, data.DataError) else Prediction(str(path), next(rows), names)
            for path, one in zip(files, read, strict=True)]


def _read(
    path: Path, description: data.Description, resize: Resize
) -> NDArray[np.uint8] | data.DataError:
    try:
        if not description.drawn:
            return read_image(path, str(path), description.shape, resize)
        return read_picture(path)
    except data.DataError as error:
        return error


def _table(predictions: Sequence[Prediction]) -> Table:
    classes = max((len(one.probabilities) for one in predictions), default=0)
    names = next((one.classes for one in predictions if one.classes), [str(k) for k in
                                                                       range(classes)])
    listed = names if classes <= _LISTED else []    # of many classes the best alone
    # A space between columns: ten classes beside a short name are 80 columns wide.
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("input", overflow="fold", min_width=12)
    for title in ("label", "probability", *listed):
        table.add_column(title, justify="right", no_wrap=True)
    for one in predictions:
        if one.error:
            table.add_row(Text(one.input), Text("unreadable", "bold red"))
        else:
            table.add_row(Text(one.input), Text(names[one.label], "bold"),
                          f"{one.probabilities[one.label]:.2%}",
                          *(f"{100 * value:.1f}" for value in one.probabilities if listed))
    return table
