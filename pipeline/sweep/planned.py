"""What a sweep was begun as: its command line, and how many runs it is to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from pydantic import Field

from pipeline.runs import read_yaml

REMEDY = "its record is damaged; begin the sweep anew in another directory"


@dataclass(frozen=True)
class Plan:
    """`runs` is None where it cannot be told, `command` empty where it was not kept."""

    command: str = ""
    runs: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Overrides:
    task: list[str]
    hydra: list[str]


@dataclass(frozen=True, kw_only=True)
class _Source:
    provider: str | None
    path: str | None


@dataclass(frozen=True, kw_only=True)
class _Runtime:
    config_sources: list[_Source] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class HydraRecord:
    """`.hydra/hydra.yaml`, of which we read this."""

    mode: Literal["RUN", "MULTIRUN"]
    overrides: _Overrides
    sweeper: dict[str, Any] = field(default_factory=dict)
    runtime: _Runtime = field(default_factory=_Runtime)


@dataclass(frozen=True, kw_only=True)
class _Seeds:
    seeds: Annotated[int, Field(gt=0)] = 1


def hydra_record(directory: Path) -> HydraRecord:
    """How Hydra began what lies in a directory.

    Raises:
        FileNotFoundError: there is no such record.
        RecordError: it is damaged.
    """
    made: Any = read_yaml(directory / ".hydra" / "hydra.yaml", _Wrapped | HydraRecord, REMEDY)
    whole: HydraRecord = made.hydra if isinstance(made, _Wrapped) else made
    return whole


@dataclass(frozen=True, kw_only=True)
class _Wrapped:
    """As Hydra itself writes it, for a job."""

    hydra: HydraRecord


def load_plan(directory: Path) -> Plan:
    """Of a sweep, or of one job over several seeds, from the records in its directory."""
    record = directory / ".hydra"
    if not (record / "hydra.yaml").is_file():
        return Plan()
    text = record / "command.txt"
    command = text.read_text(encoding="utf-8", errors="replace").strip() if text.is_file() else ""
    overrides = read_yaml(record / "overrides.yaml", list[str], REMEDY)
    seeds = read_yaml(record / "config.yaml", _Seeds, REMEDY).seeds
    try:
        return Plan(command, _count(hydra_record(directory), overrides, seeds))
    except (HydraException, ValueError):   # values that a plugin of Hydra's makes
        return Plan(command)


def _count(hydra: HydraRecord, overrides: Sequence[str], seeds: int) -> int:
    if hydra.mode != "MULTIRUN":
        return seeds
    if "n_trials" in hydra.sweeper:
        return seeds * int(hydra.sweeper["n_trials"])
    jobs = 1
    for one in OverridesParser.create().parse_overrides(list(overrides)):
        if one.get_key_element().lstrip("+") == "seeds":
            seeds = sum(int(value) for value in _values(one))
        elif one.is_sweep_override():
            jobs *= len(_values(one))
    return jobs * seeds


def _values(override: Override) -> list[Any]:
    """All that a swept override gives, or its one value."""
    swept = override.is_sweep_override()
    return list(override.sweep_iterator()) if swept else [override.value()]
