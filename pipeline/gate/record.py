"""`metrics.json`: a run's figures with all that says where they come from.

Gates are judged by this record alone, so that a finished run can be judged again without training.
Keys in docs/gates.md.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field

from pipeline import runs
from pipeline.config.errors import ConfigError, nearest
from pipeline.config.roles import recipe_of
from pipeline.files import write_atomically
from pipeline.gate.errors import GateError

if TYPE_CHECKING:   # run.py imports this room first, and --help waits for it
    from pipeline.config.schema import RunConfig

RECORD_FILE = "metrics.json"
SCHEMA_VERSION = 1
_REMEDY = "the run must be repeated"

Record: TypeAlias = Mapping[str, Any]

# What a run's figures are called, before there is one: some in every run, and what has parts.
_FIGURES = (
    "validation_accuracy", "validation_loss", "test_accuracy", "test_loss", "test_examples", "step",
    "seed", "schema_version", *(f"durations.{stage}" for stage in (
        "startup", "data", "model", "restore", "compile", "train", "evaluate", "persist", "verify",
        "judge", "report")),
)
_WITH_PARTS = ("per_class", "confusion", "history", "variables", "artifacts", "parity")


def require_metric(key: str, name: str) -> None:
    """Refuses a name that `find_metric` will find in no run's record.

    Raises:
        ConfigError: with the nearest one; `key` is what was set to `name`.
    """
    root, _, part = name.partition(".")
    if name not in _FIGURES and not (root in _WITH_PARTS and part):
        raise ConfigError(f"{key}={name}: no run has such a figure{nearest(name, _FIGURES)}")


def config_hash(config: RunConfig, task: str) -> str:
    """sha256 of what the run computes: equal for the same recipe with another seed."""
    recipe = {"task": {"name": task}, **recipe_of(config)}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def provenance(
    config: RunConfig, task: str, environment: Mapping[str, str]
) -> dict[str, Any]:
    """The record's first keys: schema version, git, seed, configuration, device, versions.

    Args:
        config: the run's.
        task: its name.
        environment: of `report.describe_environment`.
    """
    revision = environment["git revision"]
    known = revision != "unknown"
    elsewhere = ("git revision", "seed", "device", "command")
    return {
        "schema_version": SCHEMA_VERSION,
        "task": task,
        "git": {"revision": revision.removesuffix("+") if known else None,
                "dirty": revision.endswith("+") if known else None},
        "seed": config.seed,
        "config_hash": config_hash(config, task),
        "device": environment["device"],
        "versions": {k: v for k, v in environment.items() if k not in elsewhere},
        "command": environment["command"],
    }


def save_record(record: Record, directory: Path) -> None:
    """Puts the record in the run's directory; figures that are not finite become null."""
    content = json.dumps(_finite(record), indent=2, allow_nan=False)
    write_atomically(directory / RECORD_FILE, content + "\n")


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def load_record(directory: Path) -> dict[str, Any]:
    """The record of a finished run.

    Raises:
        GateError: there is none, or of a schema that this program does not know.
        RecordError: it is damaged.
    """
    path = directory / RECORD_FILE
    try:
        record: dict[str, Any] = runs.read_json(path, dict[str, Any], _REMEDY)
    except FileNotFoundError:
        raise GateError(f"{directory}: no {RECORD_FILE} in it; give the directory of a finished "
                        "run, such as outputs/2026-01-31/12-00-00-abcdef") from None
    found = record.get("schema_version")
    if found != SCHEMA_VERSION:
        raise GateError(f"{path}: schema_version {found}, this program knows {SCHEMA_VERSION}")
    runs.read_json(path, _Figures, _REMEDY)
    return record


@dataclass(frozen=True, kw_only=True)
class _Git:
    revision: str | None
    dirty: bool | None


@dataclass(frozen=True, kw_only=True)
class _Variable:
    name: str
    shape: list[Annotated[int, Field(ge=0)]]
    dtype: str
    trainable: bool


@dataclass(frozen=True, kw_only=True)
class _Artifact:
    target: str
    kind: str
    path: runs.PathText
    bytes: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class _Parity:
    artifact: str
    agrees: bool
    max_absolute: float | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class _Interval:
    step: Annotated[int, Field(ge=0)]
    epoch: float | None
    loss: float | None
    accuracy: float | None
    learning_rate: float | None
    examples_per_second: float | None
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class _Figures:
    """What is read of `metrics.json` besides figures that gates and rankings name."""

    name: str
    git: _Git
    seed: Annotated[int, Field(ge=0)]
    config_hash: str
    device: str
    versions: dict[str, str]
    command: str
    durations: dict[str, float | None]
    variables: list[_Variable]
    artifacts: list[_Artifact]
    parity: list[_Parity]
    machine: dict[str, str | int] = field(default_factory=dict)    # none in a record of 0.1
    history: list[_Interval] = field(default_factory=list)
    test_examples: Annotated[int, Field(gt=0)] | None = None


def find_metric(record: Record, key: str) -> float | None:
    """The number under a dotted key: `test_accuracy`, `durations.train`, `per_class.3.f1`.

    NaN where the record says null: a figure that was not finite. None where there is no number.
    """
    here: Any = record
    for part in key.split("."):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, Sequence) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    if here is None:
        return math.nan
    if isinstance(here, bool) or not isinstance(here, int | float):
        return None
    return float(here)


def metric_names(record: Record) -> list[str]:
    """The dotted keys of the figures one would judge or rank a run by."""
    return list(_names(record))


def _names(record: Record) -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield key
    yield from (f"durations.{stage}" for stage in record.get("durations", {}))


def spread(values: Sequence[float]) -> float | None:
    """The sample standard deviation; None for fewer than two values, or one that is not finite."""
    several = len(values) > 1 and all(map(math.isfinite, values))
    return statistics.stdev(values) if several else None
