"""metrics.json: written strictly, read strictly, searched by dotted keys."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from configured import ROOT, configured
from gate_records import record

from pipeline import gate
from pipeline.config import ConfigError
from pipeline.runs import RecordError


@pytest.mark.parametrize(
    ("key", "value"),
    [("test_accuracy", 0.98), ("durations.train", 12.5), ("per_class.1.recall", 0.97),
     ("step", 2750.0), ("nothing", None), ("per_class.9.recall", None), ("git.dirty", None),
     ("name", None), ("durations", None), ("test_accuracy.more", None)],
)
def test_a_metric_is_found_by_its_dotted_key(key: str, value: float | None) -> None:
    assert gate.find_metric(record(), key) == value


@pytest.mark.parametrize("key", ["test_accuracy", "durations.train", "per_class.1.recall", "step"])
def test_a_figure_that_runs_have_is_known_before_there_is_one(key: str) -> None:
    gate.require_metric("sweep.metric", key)


@pytest.mark.parametrize(("key", "hint"), [
    ("test_acuracy", r"did you mean 'test_accuracy'\?"), ("accuracy", "did you mean '.*accuracy'"),
    ("durations.trian", "did you mean 'durations.train'"),
    ("xyz", "valid here: durations.compile, "),
    ("per_class", "no run has"), ("name", "no run has"), ("git.dirty", "no run has"), ("", "valid"),
])
def test_a_figure_that_no_run_has_is_refused_with_its_neighbour(key: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=rf"sweep\.metric={key}: .*{hint}"):
        gate.require_metric("sweep.metric", key)


def test_what_is_not_finite_is_null_in_the_file_and_nan_again_when_read(tmp_path: Path) -> None:
    gate.save_record(record(test_loss=math.nan, durations={"train": math.inf}), tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse)
    found = gate.load_record(tmp_path)
    assert math.isnan(gate.find_metric(found, "test_loss") or 0.0)
    assert math.isnan(gate.find_metric(found, "durations.train") or 0.0)


@pytest.mark.parametrize("content", [None, "{", '{"schema_version": 99}', "[]" * 3])
def test_a_record_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    with pytest.raises((gate.GateError, RecordError), match=str(tmp_path)):
        gate.load_record(tmp_path)


def test_the_hash_is_of_what_is_computed() -> None:
    own = gate.config_hash(configured(), "train")
    same = ["seed=7", "seeds=3", "notes=hello", "runtime.platform=cpu", "gate=none",
            "sweep.strategy=vmap", "dataset.directory=/elsewhere", "restore=auto",
            "persistence=none", "verification.examples=7"]
    for override in same:
        assert gate.config_hash(configured(override), "train") == own, override
    for override in ["trainer.epochs=7", "optimizer.learning_rate=0.1", "model=softmax",
                     "dataset=mnist", "dataset.validation_size=1", "restore=/a/model.ckpt-1"]:
        assert gate.config_hash(configured(override), "train") != own, override


def test_a_key_that_is_added_to_the_schema_leaves_the_hash_alone() -> None:
    config = configured("trainer.ema={decay: 0.9}")

    @dataclass(kw_only=True)
    class Grown(type(config.trainer)):  # type: ignore[misc]
        added: int = 3

    before = vars(config.trainer)
    same, other = (replace(config, trainer=Grown(**before, added=added)) for added in (3, 4))
    own, of_same, of_other = (gate.config_hash(one, "train") for one in (config, same, other))
    assert of_same == own != of_other


def test_the_baseline_in_git_is_of_the_nightly_recipe() -> None:
    config = configured("experiment=nightly")
    assert config.gate.baseline is not None
    baseline = gate.load_baseline(ROOT / config.gate.baseline.file)
    assert baseline.config_hash == gate.config_hash(config, "train")
    assert len(baseline.seeds) >= config.gate.baseline.minimum_seeds <= config.seeds
    assert set(baseline.metrics) >= {*config.gate.baseline.max_drop, *config.gate.baseline.max_rise}


def test_provenance_says_where_the_figures_come_from() -> None:
    environment = {"command": "python run.py", "seed": "0", "device": "cpu:0",
                   "git revision": "0123456789ab+", "python": "3.11", "jax": "0.10.2"}
    made = gate.provenance(configured("seed=5"), "train", environment)
    assert made["git"] == {"revision": "0123456789ab", "dirty": True}
    assert made["seed"] == 5
    assert made["versions"] == {"python": "3.11", "jax": "0.10.2"}
    unknown = gate.provenance(configured(), "train", environment | {"git revision": "unknown"})
    assert unknown["git"] == {"revision": None, "dirty": None}
