"""What a sweep was begun as decides its settings and how many runs it is to have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.sweep.planned import load_plan
from pipeline.sweep.resume import as_begun


def begin(directory: Path, overrides: list[str], **hydra: Any) -> Path:
    record = directory / ".hydra"
    record.mkdir()
    whole = {"mode": "MULTIRUN", "sweeper": {"max_batch_size": None},
             "overrides": {"task": overrides, "hydra": []}, **hydra}
    (record / "hydra.yaml").write_text(yaml.safe_dump(whole))
    (record / "overrides.yaml").write_text(yaml.safe_dump(overrides))
    (record / "config.yaml").write_text(yaml.safe_dump({"seeds": 2}))
    (record / "command.txt").write_text("python run.py -m a=1\n")
    return directory


@pytest.mark.parametrize(("overrides", "hydra", "runs"), [
    (["a=1,2", "b=range(3)", "c=1"], {}, 12),
    (["a=choice(1,2,3)", "seeds=2,3"], {}, 15),
    (["a=interval(0,1)"], {"sweeper": {"n_trials": 7}}, 14),
    (["a=1"], {"mode": "RUN"}, 2),
    (["model=glob(*)"], {}, None),
])
def test_the_runs_of_a_plan_are_counted(
    tmp_path: Path, overrides: list[str], hydra: dict[str, Any], runs: int | None
) -> None:
    plan = load_plan(begin(tmp_path, overrides, **hydra))
    assert (plan.runs, plan.command) == (runs, "python run.py -m a=1")


def test_what_was_begun_without_records_has_no_plan(tmp_path: Path) -> None:
    assert load_plan(tmp_path).runs is None


BEGUN = ["model=softmax", "sweep.on_failure=stop", "optimizer.learning_rate=0.1,0.2",
         "runtime.debug_nans=true,false", "notes=x"]
JOB = ["model=softmax", "sweep.on_failure=stop", "optimizer.learning_rate=0.2",
       "runtime.debug_nans=false", "notes=x"]


@pytest.mark.parametrize("given", [
    JOB,
    [*JOB, "sweep.resume=DIR"],
    [*JOB, "sweep.resume=DIR", "restore=auto", "runtime.platform=cpu"],
    [JOB[0], *JOB[2:], "sweep.on_failure=continue", "sweep.resume=DIR"],
])
def test_a_job_gone_on_with_is_the_job_that_was_begun(tmp_path: Path, given: list[str]) -> None:
    assert list(as_begun(begin(tmp_path, BEGUN), given)) == JOB


def test_a_job_of_a_sweep_without_records_is_what_it_was_told(tmp_path: Path) -> None:
    assert as_begun(tmp_path, ["sweep.resume=x"]) == ("sweep.resume=x",)
