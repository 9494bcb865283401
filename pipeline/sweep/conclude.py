"""What several runs amount to: the ranking, its gates, one exit code; told to people and machines.

Everything is read from the sweep's directory, so that it makes no difference in which process or on
which day a run took place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from pipeline import gate, report
from pipeline.config.gate import GateConfig
from pipeline.config.sweep import SweepConfig
from pipeline.files import write_atomically
from pipeline.gate import Ending, ExitCode, Record, Verdict
from pipeline.report import Setting, SweepReport
from pipeline.sweep.collect import Found, Judging, collect, row
from pipeline.sweep.planned import load_plan
from pipeline.sweep.rank import columns, lacking, rank, varied
from pipeline.sweep.record import sweep_csv, sweep_json


@dataclass(frozen=True)
class Sweep:
    """The runs in a directory, ranked."""

    directory: Path
    found: Sequence[Found]
    ranking: SweepConfig
    gates: GateConfig

    @cached_property
    def settings(self) -> list[Setting]:
        """Best first."""
        return rank([row(one, self.directory) for one in self.found], self.ranking)

    @cached_property
    def best(self) -> list[Record]:
        """The records of the best setting's runs; none when nothing could be ranked."""
        if not self.settings or not self.settings[0].is_ranked:
            return []
        wanted = {run.directory for run in self.settings[0].runs if run.is_finished}
        return [one.record for one in self.found
                if one.directory.relative_to(self.directory).as_posix() in wanted]

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Of the gates over several runs: the best setting's against the baseline."""
        return gate.judge_against_baseline(self.best, self.gates) if self.best else []

    @property
    def exit_code(self) -> ExitCode:
        """The worst of all runs and gates."""
        codes = [one.outcome.ending.exit_code for one in self.found]
        return gate.worst([*codes, gate.exit_code(self.verdicts, self.gates.undecided)])


def load_sweep(
    directory: Path, gates: GateConfig | None = None, ranking: SweepConfig | None = None
) -> Sweep:
    """The runs of a sweep, or of one job over several seeds, as they lie in its directory.

    Args:
        directory: the sweep's.
        gates: to judge by; those of its runs when not given, which then write nothing outside it.
        ranking: to rank by; that of its runs when not given.
    """
    found = collect(directory)
    if gates is None or ranking is None:
        recorded = next((judging for one in found if (judging := one.judging)), Judging())
        ranking = ranking or recorded.sweep
        gates = gates or replace(recorded.gate, accept=False, trend=None)
    return Sweep(directory, found, ranking, gates)


def conclude(sweep: Sweep, stopped: ExitCode = ExitCode.PASSED) -> ExitCode:
    """Ranks, judges, writes and prints what came of a sweep.

    Args:
        sweep: as it lies in its directory.
        stopped: what ended it before its time.
    """
    if sweep.gates.accept and sweep.best:
        gate.accept(sweep.best, sweep.gates)
    code = gate.worst([sweep.exit_code, stopped])
    content = _content(sweep, code)
    directory = sweep.directory
    write_atomically(directory / "sweep.json", sweep_json(content))
    write_atomically(directory / "sweep.csv", sweep_csv(content))
    write_atomically(directory / "sweep.html", report.sweep_page(content))
    gate.save_verdicts(sweep.verdicts, directory)
    gate.write_junit(directory.name, _cases(sweep), directory)
    gate.write_manifest(directory)
    report.print_sweep(content, directory)
    _tell(sweep, content)
    return code


def _content(sweep: Sweep, code: ExitCode) -> SweepReport:
    runs = [run for setting in sweep.settings for run in setting.runs]
    endings = [one.outcome.ending for one in sweep.found]
    started = min(ending.started for ending in endings)
    ended = max(ending.started + timedelta(seconds=ending.seconds) for ending in endings)
    device = str(sweep.best[0]["device"]) if sweep.best else "unknown"
    plan = load_plan(sweep.directory)
    environment = report.describe_environment(0, device, plan.command)
    content = SweepReport(
        name=sweep.directory.resolve().name,
        started=started,
        seconds=(ended - started).total_seconds(),
        command=plan.command,
        planned=plan.runs,
        metric=sweep.ranking.metric,
        direction=sweep.ranking.direction,
        settings=sweep.settings,
        varied=varied(runs),
        metrics=columns(runs, sweep.ranking.metric),
        exit_code=code,
        ending=code.name.lower().replace("_", " "),
        environment={k: v for k, v in environment.items() if k not in ("seed", "command")},
        verdicts=sweep.verdicts,
        note=lacking(sweep.settings, sweep.ranking.metric),
    )
    if sweep.gates.trend is None:
        return content
    this = gate.trend_point(content.name, started, code, sweep.best)
    return replace(content, trend=gate.trend_with(Path(sweep.gates.trend), this))


def _cases(sweep: Sweep) -> list[gate.Case]:
    cases = []
    for one in sweep.found:
        cases.append(gate.case_of_job(one.outcome.name, one.outcome.ending))
        code = one.outcome.ending.exit_code
        cases += [gate.case_of_verdict(verdict, code, of=one.outcome.name)
                  for verdict in one.verdicts]
    whole = gate.exit_code(sweep.verdicts, sweep.gates.undecided)
    return cases + [gate.case_of_verdict(verdict, whole) for verdict in sweep.verdicts]


def _tell(sweep: Sweep, content: SweepReport) -> None:
    """GitHub's summary and annotations, and the trend file."""
    whole = Ending(ExitCode(content.exit_code), content.started, content.seconds)
    commands = gate.workflow_commands(content.name, sweep.verdicts, whole)
    for one in sweep.found:
        commands += gate.workflow_commands(
            one.outcome.name, one.verdicts, one.outcome.ending
        )
    lines = "\n".join(report.sweep_lines(content, sweep.directory))
    text = gate.markdown(content.name, sweep.verdicts, whole)
    gate.announce(f"{text}\n```\n{lines}\n```\n", commands)
    if content.trend:
        assert sweep.gates.trend is not None, "there is a trend only where it is asked for"
        gate.append_to_trend(Path(sweep.gates.trend), content.trend[-1])
