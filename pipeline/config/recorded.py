"""What a run remembers of its own configuration, for the tasks that begin from that run."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from pipeline.config.enclosure import require_enclosed
from pipeline.config.errors import ConfigError
from pipeline.runs import RecordError, read_yaml

log = logging.getLogger(__name__)

_RECORD = Path(".hydra", "config.yaml")
_THRESHOLDS = ("gate.metrics", "gate.parity", "gate.max_bytes")
_DEEPEST = 4    # directories between a run's own and a checkpoint in it
_REMEDY = "say model=… and dataset=…, which are otherwise taken from it"


def complete(composed: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """The configuration with the model and data set of the run that it begins from.

    That is the run in which `restore` lies or, with task=serve, the directory `run`, whose
    targets are taken too; task=gate takes nothing of `run`, or, with gate.from_run=true, the
    thresholds that it was judged by. A group, or an experiment, that the command line chooses is
    left as it is; a single value that it gives goes into what the run had. A graph that lies in no
    run says itself what the model is.

    Args:
        composed: what Hydra made of the command line; not changed.
        overrides: the command line.

    Raises:
        ConfigError: the run's record can't be read, or holds what only a command line may say.
        LeadsOut: a link in the run does.
    """
    source, wanted = _source(composed)
    given = [word.lstrip("+~").partition("=")[0].partition("@")[0] for word in overrides]
    if composed.task.name != "gate":
        wanted = [] if "experiment" in given else [key for key in wanted if key not in given]
    if source is None or not wanted:
        return composed
    directory = find_run(Path(source))
    if directory:
        require_enclosed(directory)
    record = _load(directory / _RECORD) if directory else _graph(Path(source))
    taken = {key: value for key in wanted if (value := _at(record, key)) is not None}
    made = copy.deepcopy(composed)
    OmegaConf.set_struct(made, False)
    for key, value in taken.items():
        _refuse_interpolations(value, key, directory or source)
        OmegaConf.update(made, key, value, merge=False)
        for own in given:
            if f"{own}.".startswith(f"{key}."):
                OmegaConf.update(made, own, OmegaConf.select(composed, own))
    if taken:
        log.info("%s as in %s", ", ".join(taken), directory or source)
    return made


def find_run(path: Path) -> Path | None:
    """The run directory that `path` is or lies in; None where there is none."""
    for directory in (path, *path.absolute().parents[:_DEEPEST]):
        if (directory / _RECORD).is_file():
            return directory
    return None


def _source(composed: DictConfig) -> tuple[str | None, Sequence[str]]:
    """Where a record may lie, and what is taken of it: never what is written, or where."""
    if composed.task.name == "serve":
        return composed.get("run"), ("model", "dataset", "persistence")
    if composed.task.name == "gate":
        asked = OmegaConf.select(composed, "gate.from_run", default=False)
        return composed.get("run"), _THRESHOLDS if asked else ()
    restore = composed.get("restore")
    return restore if restore != "auto" else None, ("model", "dataset")


def _at(record: Any, key: str) -> Any:
    for part in key.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def _refuse_interpolations(value: Any, key: str, source: Path | str) -> None:
    """A run's record holds values alone: what would be looked up here is not ours to resolve."""
    if isinstance(value, str) and "${" in value:
        raise ConfigError(f"{source}: {key}={value}: a run's record holds no interpolations, and "
                          f"none of another's is resolved; say {key}=… on this command line")
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(
        value, list) else ()
    for name, part in parts:
        _refuse_interpolations(str(name), key, source)
        _refuse_interpolations(part, f"{key}.{name}", source)


def _graph(path: Path) -> dict[str, Any]:
    """The configuration that uses a graph as a model; empty for what is no graph."""
    if path.suffix in (".pb", ".pbtxt", ".meta") or (path / "saved_model.pb").is_file():
        return {"model": {"name": path.stem, "path": str(path)}}
    return {}


def _load(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = read_yaml(path, dict[str, Any], _REMEDY)
    except RecordError as damage:
        raise ConfigError(str(damage)) from None
    return record
