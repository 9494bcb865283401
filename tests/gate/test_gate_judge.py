"""Gates on made-up records: every way to pass, to fail and to be impossible."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from gate_records import record

from pipeline import gate
from pipeline.config.gate import GateConfig, Threshold
from pipeline.gate import ExitCode, Outcome, Verdict


def only(verdicts: list[Verdict]) -> Verdict:
    [found] = verdicts
    return found


@pytest.mark.parametrize(
    ("name", "threshold", "passes"),
    [
        ("test_accuracy", Threshold(at_least=0.98), True),
        ("test_accuracy", Threshold(at_least=0.9801), False),
        ("test_loss", Threshold(at_most=0.07), True),
        ("test_loss", Threshold(at_most=0.0699), False),
        ("durations.train", Threshold(at_least=1, at_most=13), True),
        ("per_class.1.recall", Threshold(at_least=0.98), False),
        ("test_loss", Threshold(), True),
    ],
)
def test_thresholds_have_a_direction(name: str, threshold: Threshold, passes: bool) -> None:
    verdict = only(gate.judge_run(record(), GateConfig(metrics={name: threshold})))
    assert verdict.name == f"metrics.{name}"
    assert (verdict.outcome is Outcome.PASSED) == passes


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_not_finite_never_passes(value: float | None) -> None:
    for threshold in (Threshold(), Threshold(at_least=-1e9), Threshold(at_most=1e9)):
        config = GateConfig(metrics={"test_loss": threshold})
        assert only(gate.judge_run(record(test_loss=value), config)).outcome is Outcome.FAILED


def test_a_metric_that_is_not_there_fails_and_names_its_neighbour() -> None:
    config = GateConfig(metrics={"tset_accuracy": Threshold(at_least=0.5)})
    verdict = only(gate.judge_run(record(), config))
    assert verdict.outcome is Outcome.FAILED
    assert "did you mean 'test_accuracy'?" in verdict.detail


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"parity": []}, False),
        ({"parity": [{"artifact": "frozen_graph", "agrees": False, "max_absolute": 0.3,
                      "detail": "off"}]}, False),
    ],
)
def test_parity_is_of_every_artefact(changes: dict[str, Any], passes: bool) -> None:
    verdict = only(gate.judge_run(record(**changes), GateConfig(parity=True)))
    assert (verdict.outcome is Outcome.PASSED) == passes
    assert passes or "frozen_graph" in verdict.detail


def test_nothing_to_verify_is_no_gate() -> None:
    assert gate.judge_run(record(artifacts=[], parity=[]), GateConfig(parity=True)) == []


def test_an_artefact_that_is_read_in_two_ways_counts_twice() -> None:
    same = {"artifact": "frozen_graph", "agrees": True, "max_absolute": 0.0, "detail": ""}
    unreadable = {**same, "agrees": False, "max_absolute": None, "detail": "cannot be read back"}
    verdict = only(gate.judge_run(record(parity=[same, same]), GateConfig(parity=True)))
    assert verdict.found == "2 of 2 agree"
    verdict = only(gate.judge_run(record(parity=[unreadable, same]), GateConfig(parity=True)))
    assert (verdict.outcome, verdict.found) == (Outcome.FAILED, "1 of 2 agree")


@pytest.mark.parametrize(
    ("target", "most", "passes"),
    [("frozen_graph", 1_590_000, True), ("frozen_graph", 1_589_999, False), ("orbax", 10, False)],
)
def test_sizes_are_of_targets(target: str, most: int, passes: bool) -> None:
    verdict = only(gate.judge_run(record(), GateConfig(max_bytes={target: most})))
    assert (verdict.outcome is Outcome.PASSED) == passes


def test_variables_are_held_against_a_golden_description(tmp_path: Path) -> None:
    config = GateConfig(variables=str(tmp_path / "golden.txt"))
    with pytest.raises(gate.GateError, match=r"golden\.txt: no such file.*gate\.accept=true"):
        gate.check(config)
    gate.accept([record()], config)
    text = (tmp_path / "golden.txt").read_text()
    assert "layer1/weights  float32  784x500  trainable\nstep  int32  scalar  fixed\n" in text
    assert only(gate.judge_run(record(), config)).outcome is Outcome.PASSED
    for key, value in [("name", "layer1/kernel"), ("shape", [784, 300]), ("dtype", "float64"),
                       ("trainable", False)]:
        rows = record()["variables"]
        rows[0] = {**rows[0], key: value}
        verdict = only(gate.judge_run(record(variables=rows), config))
        assert verdict.outcome is Outcome.FAILED
        assert "-layer1/weights  float32  784x500  trainable" in verdict.detail
        assert "gate.accept=true" in verdict.detail
    shuffled = record(variables=record()["variables"][::-1])
    assert only(gate.judge_run(shuffled, config)).outcome is Outcome.FAILED


def verdict(outcome: Outcome) -> Verdict:
    return Verdict("a", outcome, "1", "2")


def test_what_verdicts_amount_to(tmp_path: Path) -> None:
    passed, unsure, failed = map(verdict, (Outcome.PASSED, Outcome.INVESTIGATE, Outcome.FAILED))
    for verdicts, lenient, strict in [
        ([], ExitCode.PASSED, ExitCode.PASSED),
        ([passed], ExitCode.PASSED, ExitCode.PASSED),
        ([passed, unsure], ExitCode.PASSED, ExitCode.GATE_FAILED),
        ([unsure, failed], ExitCode.GATE_FAILED, ExitCode.GATE_FAILED),
    ]:
        assert gate.exit_code(verdicts, "pass") is lenient
        assert gate.exit_code(verdicts, "fail") is strict
        gate.save_verdicts(verdicts, tmp_path)
        assert gate.load_verdicts(tmp_path) == verdicts
