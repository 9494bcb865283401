"""Regression against a baseline; the statistics are judged by scipy's own t-test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gate_records import record
from scipy import stats

from pipeline import gate
from pipeline.config.gate import BaselineConfig, GateConfig
from pipeline.gate import Outcome, Verdict
from pipeline.gate.baseline import judge_baseline, load_baseline

BASE = [0.980, 0.981, 0.979, 0.980, 0.981]


def gates(tmp_path: Path, before: list[float], **changes: object) -> GateConfig:
    config = BaselineConfig(file=str(tmp_path / "base.json"), max_drop={"test_accuracy": 0.002})
    for name, value in changes.items():
        setattr(config, name, value)
    made = GateConfig(baseline=config)
    gate.accept([record(test_accuracy=value, seed=k) for k, value in enumerate(before)], made)
    return made


def judge(config: GateConfig, now: list[float]) -> Verdict:
    [verdict] = gate.judge_against_baseline(
        [record(test_accuracy=value, seed=k) for k, value in enumerate(now)], config)
    return verdict


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ([0.980, 0.980, 0.981], Outcome.PASSED),
        ([0.990, 0.991, 0.989], Outcome.PASSED),          # better is never a failure
        ([0.9785, 0.9785, 0.9785], Outcome.PASSED),       # worse, within what is allowed
        ([0.970, 0.971, 0.969], Outcome.FAILED),          # worse beyond chance
        ([0.960, 0.985, 0.975], Outcome.INVESTIGATE),     # worse, and scattered
        ([0.970], Outcome.FAILED),                        # alone, beyond the baseline's spread
        ([0.9775], Outcome.INVESTIGATE),                  # alone, within it
        ([0.970, 0.970], Outcome.FAILED),
        ([float("nan")] * 3, Outcome.FAILED),
    ],
)
def test_a_drop_fails_only_beyond_chance(
    tmp_path: Path, now: list[float], outcome: Outcome
) -> None:
    verdict = judge(gates(tmp_path, BASE), now)
    assert verdict.outcome is outcome, verdict
    assert verdict.name == "baseline.max_drop.test_accuracy"


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        ([0.98], [0.9, 0.9, 0.901], Outcome.FAILED),     # by the spread of the other side
        ([0.98], [0.97, 0.99, 0.93], Outcome.INVESTIGATE),
        ([0.98, 0.981], [0.9, 0.905], Outcome.FAILED),
    ],
)
def test_with_few_seeds_the_spread_is_of_both_sides(
    tmp_path: Path, before: list[float], now: list[float], outcome: Outcome
) -> None:
    """scipy's test with one variance for both sides decides the same."""
    verdict = judge(gates(tmp_path, before), now)
    assert verdict.outcome is outcome
    assert "by the spread of" in verdict.detail
    shifted = np.asarray(before) - 0.002
    variance = np.var(now, ddof=1)
    if len(before) > 1:
        test = stats.ttest_ind(shifted, now, equal_var=True, alternative="greater")
        assert (test.pvalue < 0.05) == (outcome is Outcome.FAILED)
    else:
        t = (shifted[0] - np.mean(now)) / np.sqrt(variance * (1 + 1 / len(now)))
        assert (stats.t.sf(t, len(now) - 1) < 0.05) == (outcome is Outcome.FAILED)


@pytest.mark.parametrize(("now", "examples", "outcome"), [
    (0.833, 360, Outcome.FAILED),
    (0.888, 360, Outcome.INVESTIGATE),
    (0.888, 100_000, Outcome.FAILED),
    (0.893, 360, Outcome.PASSED),
])
def test_one_seed_on_either_side_is_judged_by_the_test_set(
    tmp_path: Path, now: float, examples: int, outcome: Outcome
) -> None:
    config = BaselineConfig(file=str(tmp_path / "b.json"), max_drop={"test_accuracy": 0.002})
    made = GateConfig(baseline=config)
    gate.accept([record(test_accuracy=0.894, test_examples=examples)], made)
    again = [record(test_accuracy=now, test_examples=examples)]
    [verdict] = gate.judge_against_baseline(again, made)
    assert verdict.outcome is outcome, verdict
    assert outcome is Outcome.PASSED or f"{examples:,} test examples" in verdict.detail
    error = np.sqrt((0.894 * 0.106 + now * (1 - now)) / examples)
    beyond = 0.894 - now - stats.norm.ppf(0.95) * error > 0.002
    assert beyond == (outcome is Outcome.FAILED)


def test_what_cannot_be_told_fails_unless_conf_says_otherwise(tmp_path: Path) -> None:
    config = BaselineConfig(file=str(tmp_path / "b.json"), max_rise={"test_loss": 0.01})
    made = GateConfig(baseline=config)
    gate.accept([record(test_loss=0.07)], made)
    verdicts = gate.judge_against_baseline([record(test_loss=0.2)], made)
    assert verdicts[0].outcome is Outcome.INVESTIGATE, "a loss has no error of its own"
    assert gate.exit_code(verdicts, made.undecided) is gate.ExitCode.GATE_FAILED
    assert gate.exit_code(verdicts, "pass") is gate.ExitCode.PASSED


def test_equal_seeds_without_any_spread_are_decided(tmp_path: Path) -> None:
    assert judge(gates(tmp_path, [0.98] * 3), [0.97] * 3).outcome is Outcome.FAILED


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_decision_is_welch_s(tmp_path: Path, confidence: float) -> None:
    """Shifted by what is allowed, scipy's one-sided test rejects exactly where the gate fails."""
    random = np.random.default_rng(0)
    outcomes = set()
    for _ in range(200):
        before = random.normal(0.98, 0.002, random.integers(3, 8))
        now = random.normal(0.98 - random.uniform(0.002, 0.01), 0.003, random.integers(3, 8))
        if before.mean() - now.mean() <= 0.002:
            continue
        config = gates(tmp_path, before.tolist(), confidence=confidence)
        test = stats.ttest_ind(before - 0.002, now, equal_var=False, alternative="greater")
        expected = Outcome.FAILED if test.pvalue < 1 - confidence else Outcome.INVESTIGATE
        assert judge(config, now.tolist()).outcome is expected
        outcomes.add(expected)
    assert outcomes == {Outcome.FAILED, Outcome.INVESTIGATE}


def test_a_rise_is_the_other_direction(tmp_path: Path) -> None:
    config = BaselineConfig(file=str(tmp_path / "b.json"), max_rise={"test_loss": 0.01})
    made = GateConfig(baseline=config)
    gate.accept([record(test_loss=0.07, seed=k) for k in range(3)], made)
    for loss, outcome in [(0.05, Outcome.PASSED), (0.079, Outcome.PASSED), (0.09, Outcome.FAILED)]:
        records = [record(test_loss=loss, seed=k) for k in range(3)]
        [verdict] = gate.judge_against_baseline(records, made)
        assert verdict.outcome is outcome


def test_another_configuration_is_said(tmp_path: Path) -> None:
    config = gates(tmp_path, BASE)
    [verdict] = gate.judge_against_baseline([record(config_hash="other")] * 3, config)
    assert "another configuration" in verdict.detail


@pytest.mark.parametrize(
    "content",
    [None, "{", "[1]", "{}", '{"metrics": {"a": []}, "config_hash": "", "git_revision": null}',
     '{"metrics": {"a": ["x"]}, "config_hash": "", "git_revision": null}',
     '{"metrics": {"a": [1]}, "config_hash": "", "git_revision": null, "schema_version": 9}'],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "base.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(gate.GateError, match=r"base\.json: .*gate\.accept=true"):
        load_baseline(path)
    with pytest.raises(gate.GateError):
        gate.check(GateConfig(baseline=BaselineConfig(file=str(path))))


def test_a_metric_the_baseline_lacks_is_named(tmp_path: Path) -> None:
    config = gates(tmp_path, BASE)
    asked = BaselineConfig(file=str(tmp_path / "base.json"), max_drop={"test_f1": 0.1})
    assert config.baseline is not None
    with pytest.raises(gate.GateError, match="holds test_accuracy"):
        judge_baseline([record()], load_baseline(Path(config.baseline.file)), asked)
