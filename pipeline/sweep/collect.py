"""All runs that lie in a sweep's directory, however they ended and wherever they ran."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import gate
from pipeline.config import Config, ConfigError, load
from pipeline.config.gate import GateConfig
from pipeline.config.roles import Role, role_of
from pipeline.config.sweep import SweepConfig
from pipeline.gate import Ending, ExitCode, Verdict
from pipeline.report import SweepRun
from pipeline.runs import RecordError, read_yaml
from pipeline.sweep import outcome
from pipeline.sweep.outcome import Outcome

log = logging.getLogger(__name__)

_UNFINISHED = "did not end: it was killed, or has not begun; sweep.resume goes on with it"

_REMEDY = "remove the run's directory and go on with sweep.resume"

_ASKED = "asked to stop; sweep.resume goes on with it"


@dataclass(kw_only=True)
class Judging:
    """Of a run's configuration: how it is ranked among others, and judged with them."""

    sweep: SweepConfig = field(default_factory=SweepConfig)
    gate: GateConfig = field(default_factory=GateConfig)


@dataclass(frozen=True)
class Found:
    """One run; `record` is empty when nothing came of it."""

    directory: Path
    outcome: Outcome
    record: Mapping[str, Any]
    verdicts: Sequence[Verdict] = ()
    has_begun_only: bool = False   # and has no outcome: it was killed, or is still at work

    @property
    def judging(self) -> Judging | None:
        """As the run was configured; None where that could not be read."""
        path = self.directory / ".hydra" / "config.yaml"
        try:
            config = read_yaml(path, dict[str, Any], _REMEDY)
            return load({key: config[key] for key in ("sweep", "gate") if key in config}, Judging)
        except FileNotFoundError:
            return None
        except (RecordError, ConfigError) as damage:
            log.warning("%s; how its sweep is judged is taken from another run", damage)
            return None


def collect(directory: Path) -> list[Found]:
    """The runs of a sweep, or of one job over several seeds, by job and seed."""
    claimed = {path.parent for path in directory.glob("*/.hydra")}
    claimed |= {path.parent for path in directory.glob("*/seed-*/.hydra")}
    ended = {path.parent for pattern in ("*", "*/seed-*")
             for path in directory.glob(f"{pattern}/{outcome.FILE_NAME}")}
    # A job over several seeds is no run itself, unless it failed before it had any.
    several = {path.parent for path in claimed | ended if path.name.startswith("seed-")}
    found = [_found(path, directory) for path in (claimed - several) | ended]
    return sorted(found, key=lambda one: (one.outcome.number or 0, one.outcome.seed or 0))


def _found(directory: Path, sweep_directory: Path) -> Found:
    own = outcome.load_sound(directory)
    ended = own or _unfinished(directory, sweep_directory)
    try:
        has_record = (directory / gate.RECORD_FILE).exists() and ended.is_finished
        record = gate.load_record(directory) if has_record else {}
        verdicts = gate.load_verdicts(directory)
    except (RecordError, gate.GateError) as damage:   # of one run, and the others are sound
        log.warning("%s", damage)
        ending = replace(ended.ending, exit_code=ExitCode.INTEGRITY, error=str(damage))
        return Found(directory, replace(ended, ending=ending), {})
    return Found(directory, ended, record, verdicts, has_begun_only=own is None)


def _unfinished(directory: Path, sweep_directory: Path) -> Outcome:
    hydra = directory / ".hydra"
    try:
        overrides = read_yaml(hydra / "overrides.yaml", list[str], _REMEDY)
        seed = read_yaml(hydra / "config.yaml", dict[str, Any], _REMEDY).get("seed")
        error = _UNFINISHED
    except (RecordError, FileNotFoundError) as damage:
        overrides, seed, error = [], None, f"did not end, and cannot be gone on with: {damage}"
    job = directory.parent if directory.name.startswith("seed-") else directory
    begun = datetime.fromtimestamp(hydra.stat().st_mtime).astimezone()
    ending = Ending(ExitCode.FAILED, begun, 0.0, error)
    number = int(job.name) if job != sweep_directory and job.name.isdecimal() else None
    return Outcome(ending, number, seed if isinstance(seed, int) else None, tuple(overrides))


def row(found: Found, sweep_directory: Path) -> SweepRun:
    """The run as tables show it."""
    ending = found.outcome.ending
    names = gate.metric_names(found.record)
    values = {name: gate.find_metric(found.record, name) for name in names}
    return SweepRun(
        number=found.outcome.number,
        seed=found.outcome.seed,
        directory=found.directory.relative_to(sweep_directory).as_posix(),
        overrides=told(found.outcome.overrides),
        exit_code=ending.exit_code,
        ending="pruned" if found.record.get("stopped") == "pruned"
        else ending.exit_code.name.lower().replace("_", " "),
        seconds=ending.seconds,
        error=ending.error or (_ASKED if ending.exit_code is ExitCode.RESUMABLE else ""),
        traceback=ending.traceback,
        metrics={name: value for name, value in values.items() if value is not None},
        verdicts=found.verdicts,
        history=found.record.get("history", ()),
        has_begun_only=found.has_begun_only,
    )


def told(overrides: Sequence[str]) -> dict[str, str]:
    """Overrides as key → value, without the seeds; `~key` and a lone key have none."""
    pairs = (one.lstrip("+").partition("=") for one in overrides)
    return {key: value for key, _, value in pairs
            if role_of(key, Config) is not Role.REPETITION}
