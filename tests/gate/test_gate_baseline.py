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
        ([0.970], Outcome.INVESTIGATE),                   # worse, and alone
        ([0.970, 0.970], Outcome.INVESTIGATE),
        ([float("nan")] * 3, Outcome.FAILED),
    ],
)
def test_a_drop_fails_only_beyond_chance(
    tmp_path: Path, now: list[float], outcome: Outcome
) -> None:
    verdict = judge(gates(tmp_path, BASE), now)
    assert verdict.outcome is outcome, verdict
    assert verdict.name == "baseline.max_drop.test_accuracy"


def test_a_baseline_of_one_seed_decides_nothing(tmp_path: Path) -> None:
    verdict = judge(gates(tmp_path, [0.98]), [0.9, 0.9, 0.9])
    assert verdict.outcome is Outcome.INVESTIGATE
    assert "3 are needed" in verdict.detail


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
