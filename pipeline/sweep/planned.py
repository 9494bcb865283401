"""What a sweep was begun as: its command line, and how many runs it is to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException


@dataclass(frozen=True)
class Plan:
    """`runs` is None where it cannot be told, `command` empty where it was not kept."""

    command: str = ""
    runs: int | None = None


def load_plan(directory: Path) -> Plan:
    """Of a sweep, or of one job over several seeds, from the records in its directory."""
    record = directory / ".hydra"
    if not (record / "hydra.yaml").is_file():
        return Plan()
    command = (record / "command.txt").read_text(encoding="utf-8").strip()
    hydra, overrides, config = (
        yaml.safe_load((record / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in ("hydra", "overrides", "config"))
    try:
        return Plan(command, _count(hydra.get("hydra", hydra), overrides, config["seeds"]))
    except HydraException:   # values that a plugin of Hydra's makes
        return Plan(command)


def _count(hydra: Mapping[str, Any], overrides: Sequence[str], seeds: int) -> int:
    if hydra["mode"] != "MULTIRUN":
        return seeds
    if "n_trials" in hydra["sweeper"]:
        return seeds * int(hydra["sweeper"]["n_trials"])
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
