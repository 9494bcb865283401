"""A sweep as `sweep.json` and `sweep.csv`, for programs; keys in docs/sweeps.md."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from pipeline.report import Setting, SweepReport, SweepRun

SCHEMA_VERSION = 1


def sweep_json(report: SweepReport) -> str:
    """Settings best first, each with its runs; figures that are not finite are null."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "name": report.name,
        "started": report.started.isoformat(),
        "seconds": report.seconds,
        "command": report.command,
        "exit_code": report.exit_code,
        "metric": report.metric,
        "direction": report.direction,
        "note": report.note,
        "planned": report.planned,
        "ended": report.ended,
        "varied": report.varied,
        "best": report.best.runs[0].directory if report.best else None,
        "settings": [_setting(place, setting, report.metrics)
                     for place, setting in enumerate(report.settings, start=1)],
        "environment": report.environment,
    }
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def _setting(place: int, setting: Setting, metrics: list[str] | Any) -> dict[str, Any]:
    return {
        "rank": place if setting.is_ranked else None,
        "overrides": setting.overrides,
        "mean": {name: _finite(setting.mean(name)) for name in metrics},
        "deviation": {name: _finite(setting.deviation(name)) for name in metrics},
        "runs": [_run(run) for run in setting.runs],
    }


def _run(run: SweepRun) -> dict[str, Any]:
    return {
        "number": run.number, "seed": run.seed, "directory": run.directory,
        "exit_code": run.exit_code, "seconds": run.seconds, "error": run.error,
        "metrics": {name: _finite(value) for name, value in run.metrics.items()},
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def sweep_csv(report: SweepReport) -> str:
    """A row for each run, best setting first (RFC 4180)."""
    names = list(dict.fromkeys(name for run in report.runs for name in run.metrics))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["rank", "job", "seed", "directory", "exit_code", "seconds", *report.varied,
                     *names, "error"])
    for place, setting in enumerate(report.settings, start=1):
        for run in setting.runs:
            writer.writerow([
                place if setting.is_ranked else "", run.number, run.seed, run.directory,
                run.exit_code, f"{run.seconds:.3f}",
                *(run.overrides.get(key, "") for key in report.varied),
                *(run.metrics.get(name, "") for name in names), run.error,
            ])
    return text.getvalue()
