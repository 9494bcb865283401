"""Going on with a sweep: the command line it was begun with, and proof that nothing has changed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline.config import Config, ConfigError, roles, tree
from pipeline.runs import read_yaml
from pipeline.sweep.consenting import require_said_again
from pipeline.sweep.planned import REMEDY, HydraRecord, hydra_record

_KEY = "sweep.resume="
_MULTIRUN = ("-m", "--multirun")


def whole_command_line(given: Sequence[str]) -> list[str]:
    """The arguments, completed by those of the sweep that `sweep.resume=DIR` names.

    Raises:
        ConfigError: the directory holds no sweep, or one begun with words that must be said again.
    """
    named = [one.removeprefix(_KEY) for one in given if one.startswith(_KEY)]
    if not named or named[-1] in ("", "null"):
        return list(given)
    directory = Path(named[-1].strip("'\""))
    hydra = _hydra_record(directory)
    several = hydra.mode == "MULTIRUN"
    place = "hydra.sweep.dir" if several else "hydra.run.dir"
    before = [one for one in (*hydra.overrides.task, *hydra.overrides.hydra)
              if not one.startswith(("hydra.sweep.dir=", "hydra.run.dir=", "hydra.mode="))]
    replaced = {_key(one) for one in given}
    quoted = str(directory).replace("\\", "\\\\").replace("'", "\\'")
    flags = [one for one in given if one in _MULTIRUN] or ["--multirun"] * several
    kept = [one for one in before if _key(one) not in replaced]
    sources = [] if tree.config_directory(given) else [
        source.path for source in hydra.runtime.config_sources
        if source.provider == "command-line" and source.path]
    require_said_again(directory, kept, sources)
    flags += [word for path in sources for word in ("--config-dir", path)]
    words = [one for one in given if one not in _MULTIRUN]   # Hydra takes words on one side only
    return [*flags, *kept, *words, f"{place}='{quoted}'"]


def _hydra_record(directory: Path) -> HydraRecord:
    try:
        return hydra_record(directory)
    except FileNotFoundError:
        raise ConfigError(
            f"{_KEY}{directory}: no sweep was begun there (no .hydra/hydra.yaml in it); give the "
            "directory that a sweep printed last, such as outputs/2026-01-31/12-00-00-abcdef-sweep"
        ) from None


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def require_same(directory: Path, records: Mapping[str, str], overrides: Sequence[str]) -> None:
    """Refuses to go on with another sweep than the one that was begun.

    Args:
        directory: the sweep's, or a job's.
        records: `.hydra/` as it would be written now.
        overrides: the task's.

    Raises:
        ConfigError: shows the difference.
    """
    record = directory / ".hydra"
    if not record.exists():
        return
    before = _lines(read_yaml(record / "overrides.yaml", list[str], REMEDY))
    changed = _difference(before, _lines(overrides))
    if not changed:
        then = read_yaml(record / "config.yaml", dict[str, Any], REMEDY)
        changed = _difference(_config_lines(then), _config_lines(
            yaml.safe_load(records["config.yaml"])))
    if changed:
        raise ConfigError(
            f"{_KEY}{directory}: it was begun with another configuration (- then, + now):\n  "
            + "\n  ".join(changed)
            + "\ngo on with the same one, or begin a new sweep without sweep.resume"
        )


def as_begun(directory: Path, overrides: Sequence[str]) -> tuple[str, ...]:
    """A job's overrides as they would be had its sweep never stopped.

    What was given only to go on, such as `sweep.resume` itself, decides nothing of the job, and
    would make another setting of it.

    Args:
        directory: the sweep's.
        overrides: the job's in the process that goes on.
    """
    path = directory / ".hydra" / "overrides.yaml"
    if not path.exists():
        return tuple(overrides)
    before = {_key(one): one for one in read_yaml(path, list[str], REMEDY)}
    order = list(before)
    kept = [one for one in overrides if _key(one) in before or not roles.is_free(_key(one), Config)]
    return tuple(sorted(
        (before[_key(one)] if roles.is_free(_key(one), Config) and not is_swept(before[_key(one)])
         else one for one in kept),
        key=lambda one: order.index(_key(one)) if _key(one) in before else len(order)))


def is_swept(override: str) -> bool:
    """Whether it gives several values, one for each job."""
    return bool(OverridesParser.create().parse_override(override).is_sweep_override())


def _lines(overrides: Sequence[str]) -> list[str]:
    return [one for one in overrides if not roles.is_free(_key(one), Config)]


def _config_lines(config: Mapping[str, Any]) -> list[str]:
    text: str = yaml.safe_dump(roles.sweep_recipe_of(config, Config), sort_keys=True)
    return text.splitlines()


def _difference(before: Sequence[str], now: Sequence[str]) -> list[str]:
    return [line for line in difflib.unified_diff(before, now, lineterm="", n=0)
            if line[0] in "+-" and line[:3] not in ("+++", "---")]
