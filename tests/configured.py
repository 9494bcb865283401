"""Configurations as `run.py` would compose them, and small data to use them on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pipeline import tasks
from pipeline.config import load
from pipeline.config.dataset import PublishedConfig
from pipeline.context import Context
from pipeline.data import DataSet, DataSets
from pipeline.data import load as load_data

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf"


def composed(*overrides: str) -> dict[str, Any]:
    """What Hydra makes of a command line, as plain data, before the border checks it."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        made = compose("config", overrides=list(overrides))
    return cast(dict[str, Any], OmegaConf.to_container(made, resolve=True, throw_on_missing=True))


def perform(directory: Path, *overrides: str, **sections: Mapping[str, Any]) -> Any:
    """What a task that is configured so makes of it, without Hydra: its result or exit code."""
    name = composed(*overrides)["task"]["name"]
    options = configured(*overrides, **sections)
    return tasks.find(name).run(options, Context(directory, name))


def configured(*overrides: str, **sections: Mapping[str, Any]) -> Any:
    """The checked options of the task; `sections` replace whole groups, such as `model={…}`."""
    made = {**composed(*overrides), **sections}
    name = made["task"]["name"]
    return load(tasks.part_of(name, made), tasks.find(name).Options)


@cache
def digits(train: int = 200, validation: int = 37, test: int = 63) -> DataSets:
    """The first of the embedded digits in each split."""
    whole = load_data(PublishedConfig(name="digits", validation_size=137), Path("unused"))
    sizes = {"train": train, "validation": validation, "test": test}
    return DataSets(
        *(
            DataSet(part.pixels[:size], part.digits[:size], np.random.RandomState(0))
            for part, size in zip(whole, sizes.values(), strict=True)
        ),
        name="digits",
    )
