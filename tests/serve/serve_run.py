"""A run opened as task=serve opens it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

from configured import CONF
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pipeline import tasks
from pipeline.config import load, recorded
from pipeline.config.serve import ServeOptions
from pipeline.serve import Subject, open_run


@cache
def served(run: Path, *words: str) -> Subject:
    given = ["task=serve", f"run={run}", *words]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = recorded.complete(compose("config", overrides=given), given)
    made = cast(dict[str, Any], OmegaConf.to_container(composed, resolve=True))
    return open_run(load(tasks.part_of("serve", made), ServeOptions))
