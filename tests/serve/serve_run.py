"""A run opened as task=serve opens it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from configured import CONF
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pipeline.config import load, recorded
from pipeline.serve import Subject, open_run


@cache
def served(run: Path, *words: str) -> Subject:
    given = ["task=serve", f"run={run}", *words]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = recorded.complete(compose("config", overrides=given), given)
    return open_run(load(OmegaConf.to_container(composed, resolve=True)))  # type: ignore[arg-type]
