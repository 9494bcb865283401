"""Judging what has finished once more, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline import gate, report
from pipeline.config.gate import GateConfig
from pipeline.gate import Ending, ExitCode
from pipeline.sweep import outcome
from pipeline.sweep.collect import Found
from pipeline.sweep.conclude import conclude, load_sweep
from pipeline.sweep.job import gates_of_each


def judge_sweep(directory: Path, gates: GateConfig) -> ExitCode:
    """Judges a finished sweep, and each of its runs, by `gates`, and writes the verdicts anew.

    Raises:
        GateError: a record or the gates' files cannot be used.
    """
    sweep = load_sweep(directory, gates)
    own = gates_of_each(gates)
    found = [_judged(one, own) for one in sweep.found]
    report.print_verdicts([replace(verdict, name=f"{one.outcome.name}: {verdict.name}")
                           for one in found for verdict in one.verdicts])
    return conclude(replace(sweep, found=found))


def judge_run(directory: Path, gates: GateConfig) -> ExitCode:
    """Judges a finished run by `gates`, and writes its verdicts anew.

    Raises:
        GateError: its record or the gates' files cannot be used.
    """
    record = gate.load_record(directory)
    if gates.accept:
        gate.accept([record], gates)
    verdicts = [*gate.judge_run(record, gates), *gate.judge_against_baseline([record], gates)]
    ended = outcome.load(directory)
    assert ended is not None, "a run with a manifest has ended"
    judged = _ending(ended.ending, gate.exit_code(verdicts, gates.undecided))
    gate.save_verdicts(verdicts, directory)
    outcome.save(replace(ended, ending=judged), directory)
    report.print_verdicts(verdicts)
    gate.announce(gate.markdown(directory.name, verdicts, judged),
                  gate.workflow_commands(directory.name, verdicts, judged))
    return judged.exit_code


def _judged(found: Found, gates: GateConfig) -> Found:
    """One of several runs, judged by itself; one that came to nothing stays what it is."""
    if not found.record:
        return found
    verdicts = gate.judge_run(found.record, gates)
    ending = _ending(found.outcome.ending, gate.exit_code(verdicts, gates.undecided))
    ended = replace(found.outcome, ending=ending)
    gate.save_verdicts(verdicts, found.directory)
    outcome.save(ended, found.directory)
    return replace(found, outcome=ended, verdicts=verdicts)


def _ending(before: Ending, judged: ExitCode) -> Ending:
    """What gates say replaces what they said before; an artefact that is unsound stays so."""
    by_gates = (ExitCode.PASSED, ExitCode.GATE_FAILED)
    return replace(before, exit_code=judged) if before.exit_code in by_gates else before
