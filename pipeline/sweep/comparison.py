"""What two finished runs have in common, and what not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline import checkpoint, gate
from pipeline.config.enclosure import below
from pipeline.gate import Record
from pipeline.report import ComparedRun, ComparedVariable, RunComparison
from pipeline.runs import read_yaml


def compare_runs(first: Path, second: Path) -> RunComparison:
    """What two run directories say of themselves.

    Raises:
        GateError: one of them has not finished, or its record cannot be used.
    """
    records = gate.load_record(first), gate.load_record(second)
    names = _name(first), _name(second)
    if names[0] == names[1]:
        names = (str(first), str(second))
    return RunComparison(
        runs=(_side(names[0], first, records[0]), _side(names[1], second, records[1])),
        settings=_differences(_configuration(first), _configuration(second)),
        variables=_variables((first, second), records),
    )


def _name(directory: Path) -> str:
    """A job of a sweep with the sweep's name before its own, which is but a number or a seed."""
    path = directory.resolve()
    own = path.name.isdecimal() or path.name.startswith("seed-")
    return f"{path.parent.name}/{path.name}" if own else path.name


def _side(name: str, directory: Path, record: Record) -> ComparedRun:
    values = {key: gate.find_metric(record, key) for key in gate.metric_names(record)}
    revision = f"{record['git']['revision']}{' with changes' if record['git']['dirty'] else ''}"
    return ComparedRun(
        name=name,
        directory=str(directory),
        metrics={key: value for key, value in values.items()
                 if value is not None and key not in ("schema_version", "seed")},
        history=record.get("history", ()),
        environment={"git revision": revision, "device": record["device"],
                     **{name: str(value) for name, value in record.get("machine", {}).items()
                        if name in ("cores", "processor")},
                     **record["versions"], "command": record["command"]},
    )


def _configuration(directory: Path) -> dict[str, str]:
    path = directory / ".hydra" / "config.yaml"
    if not path.exists():
        return {}
    return dict(_leaves(read_yaml(path, dict[str, Any], "the run must be repeated")))


def _leaves(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", yaml.safe_dump(value, default_flow_style=True).split("\n")[0]


def _differences(
    first: Mapping[str, str], second: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    keys = dict.fromkeys([*first, *second])
    return [(key, first.get(key, "–"), second.get(key, "–")) for key in keys
            if first.get(key) != second.get(key)]


def _variables(
    directories: tuple[Path, Path], records: tuple[Record, Record]
) -> list[ComparedVariable]:
    shapes = [{row["name"]: "×".join(map(str, row["shape"])) or "scalar"
               for row in record["variables"]} for record in records]
    values = [_values(directory, record)
              for directory, record in zip(directories, records, strict=True)]
    return [
        ComparedVariable(
            name=name,
            shapes=(shapes[0].get(name, ""), shapes[1].get(name, "")),
            norms=(_norm(values[0].get(name)), _norm(values[1].get(name))),
            distance=_distance(values[0].get(name), values[1].get(name)),
        )
        for name in dict.fromkeys([*shapes[0], *shapes[1]])
    ]


def _values(directory: Path, record: Record) -> dict[str, NDArray[Any]]:
    """The variables of the run's TensorFlow checkpoint; none where it wrote none."""
    kept = [made for made in record["artifacts"] if made["kind"] == "tf_checkpoint"]
    if not kept:
        return {}
    reader = checkpoint.CheckpointReader(str(below(directory, kept[0]["path"])))
    names = {row["name"] for row in record["variables"]}
    return {name: reader.get_tensor(name) for name in names if reader.has_tensor(name)}


def _norm(value: NDArray[Any] | None) -> float | None:
    return None if value is None else float(np.linalg.norm(value.astype(np.float64)))


def _distance(first: NDArray[Any] | None, second: NDArray[Any] | None) -> float | None:
    if first is None or second is None or first.shape != second.shape:
        return None
    return _norm(first.astype(np.float64) - second.astype(np.float64))
