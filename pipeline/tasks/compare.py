"""task=compare: two finished runs side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config import ConfigError
from pipeline.config.enclosure import require_enclosed
from pipeline.config.schema import RuntimeConfig
from pipeline.config.several_runs import several_runs, why_no_run
from pipeline.context import Context
from pipeline.files import write_atomically
from pipeline.gate import ExitCode

FILE_NAME = "compare.html"


@dataclass(kw_only=True)
class Options:
    """What to compare."""

    runs: list[str] = field(default_factory=list)    # two finished runs
    runtime: RuntimeConfig


def run(options: Options, context: Context) -> ExitCode:
    """Prints what two runs have in common and what not, and writes `compare.html`.

    Raises:
        ConfigError: there are not two runs, or a link in one leads out of it.
        GateError: one of them has not finished, or its record cannot be used.
    """
    from pipeline import report
    from pipeline.sweep.comparison import compare_runs

    if len(options.runs) != 2:
        raise ConfigError(f"runs={options.runs}: task=compare takes the directories of two "
                          "finished runs: runs=[outputs/A,outputs/B]")
    first, second = map(Path, options.runs)
    for one in (first, second):
        if several_runs(one) or not (one / ".hydra").is_dir():
            raise ConfigError(f"runs: {one}: {why_no_run(one)}")
        require_enclosed(one)
    made = compare_runs(first, second)
    print(*report.compare_lines(made), sep="\n")
    path = context.directory / FILE_NAME
    write_atomically(path, report.compare_page(made))
    print(f"\nreport  {path}")
    return ExitCode.PASSED
