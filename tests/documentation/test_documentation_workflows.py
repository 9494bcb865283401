"""The workflows hold together: keys, expressions, commands, and the files they pass on."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from configured import ROOT, configured

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
IDS = [path.name for path in WORKFLOWS]
# What we use of https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
KEYS = {"name", "on", "permissions", "concurrency", "jobs"}
JOB_KEYS = {"runs-on", "timeout-minutes", "env", "strategy", "steps", "needs", "if", "environment",
            "permissions"}
STEP_KEYS = {"uses", "with", "run", "if"}
# https://docs.github.com/actions/reference/workflows-and-actions/contexts
EXPRESSION = re.compile(r"github\.(workspace|run_id|run_attempt)|runner\.os|matrix\.\w+"
                        r"|hashFiles\('constraints\.txt'\)")
PINNED = re.compile(r"(actions|pypa)/[\w-]+(/[\w-]+)?@(v\d+|[0-9a-f]{40})")


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return content    # the base loader keeps `on`, which YAML 1.1 takes for true


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_keys_are_github_s(path: Path) -> None:
    content = load(path)
    assert set(content) <= KEYS
    for job in content["jobs"].values():
        assert set(job) <= JOB_KEYS
        assert {"runs-on", "timeout-minutes", "steps"} <= set(job), "nothing runs for six hours"
    for step in steps(path):
        assert set(step) <= STEP_KEYS
        assert ("uses" in step) != ("run" in step)
        assert "uses" not in step or PINNED.fullmatch(step["uses"])
        assert step.get("if", "always()") == "always()"


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_expressions_name_what_there_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expressions = re.findall(r"\$\{\{ (.*?) \}\}", text)
    assert text.count("${{") == len(expressions)
    assert not [one for one in expressions if not EXPRESSION.fullmatch(one)]
    for job in load(path)["jobs"].values():
        axes = set(job.get("strategy", {}).get("matrix", ()))
        assert set(re.findall(r"matrix\.(\w+)", json.dumps(job))) <= axes


@pytest.mark.parametrize("path", WORKFLOWS, ids=IDS)
def test_commands_are_those_that_users_are_told(path: Path) -> None:
    """`python run.py …` must compose: test_documentation_composition."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for step in steps(path):
        command = step.get("run", "")
        if command.startswith("bash "):
            assert (ROOT / command.removeprefix("bash ")).is_file()
        else:
            assert command.startswith("python run.py ") or command in readme


def test_the_nightly_run_passes_on_all_that_it_leaves() -> None:
    [path] = [path for path in WORKFLOWS if path.name == "nightly.yml"]
    trend = configured("experiment=nightly").gate.trend
    assert trend is not None
    kept = str(Path(trend).parent)
    left = {word.removeprefix("hydra.run.dir=") for step in steps(path)
            for word in step.get("run", "").split() if word.startswith("hydra.run.dir=")}
    given = {step["uses"].partition("@")[0]: step for step in steps(path) if "uses" in step}
    assert set(given["actions/upload-artifact"]["with"]["path"].split()) == {*left, kept}
    restore, save = given["actions/cache/restore"]["with"], given["actions/cache/save"]["with"]
    assert restore["path"] == save["path"]
    assert restore["key"] == save["key"]
    [job] = load(path)["jobs"].values()
    cache = job["env"]["JAXFROST_CACHE"].removeprefix("${{ github.workspace }}/")
    assert set(save["path"].split()) == {cache, kept}
    after = [step.get("if") for step in steps(path)[-2:]]
    assert after == ["always()", "always()"], "also of a night that failed"


def test_only_a_person_publishes() -> None:
    path = ROOT / ".github" / "workflows" / "release.yml"
    jobs = load(path)["jobs"]
    [publisher] = [name for name, job in jobs.items()
                   if any("publish" in step.get("uses", "") for step in job["steps"])]
    job = jobs[publisher]
    assert job["if"] == "github.event_name == 'workflow_dispatch' && inputs.publish"
    assert job["needs"] == "build", "what was checked is what is published"
    assert load(path)["on"]["workflow_dispatch"]["inputs"]["publish"]["default"] == "false"
    others = [each for name, each in jobs.items() if name != publisher]
    assert not any("permissions" in each for each in others)


def test_the_next_tag_has_a_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(version)} \((unreleased|\d{{4}}-\d\d-\d\d)\)$", changelog,
                     re.MULTILINE)
