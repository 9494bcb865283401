"""task=gate: judges a finished run, or a finished sweep, again without training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline import gate
from pipeline.config import ConfigError
from pipeline.config.enclosure import require_enclosed
from pipeline.config.gate import GateConfig
from pipeline.config.schema import RuntimeConfig
from pipeline.config.several_runs import why_no_run
from pipeline.config.sweep import SweepConfig
from pipeline.context import Context
from pipeline.gate import ExitCode


@dataclass(kw_only=True)
class Options:
    """What to judge, and by what."""

    run: str | None = None         # a finished run or sweep
    gate: GateConfig = field(default_factory=GateConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)
    runtime: RuntimeConfig


def run(options: Options, context: Context) -> ExitCode:
    """Judges what lies in `options.run` by `options.gate`, and writes its verdicts anew.

    Raises:
        ConfigError: there is no run, or a link in it leads out of it.
        ManifestError: it did not end, or its files are not those that it ended with.
        GateError: its record or the gates' files cannot be used.
    """
    from pipeline.sweep.judging import judge_run, judge_sweep

    if options.run is None:
        raise ConfigError("run: task=gate needs it; give the directory of a finished run or sweep")
    directory = Path(options.run)
    if not (directory / ".hydra").is_dir():
        raise ConfigError(f"run={options.run}: {why_no_run(directory)}")
    require_enclosed(directory)
    gate.require_manifest(directory)
    gate.check(options.gate)
    if (directory / "sweep.json").exists():
        return judge_sweep(directory, options.gate)
    return judge_run(directory, options.gate)
