"""Going on with a sweep: the whole command line, and what may not have changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.config import ConfigError
from pipeline.sweep.resume import require_same, whole_command_line


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    record = tmp_path / ".hydra"
    record.mkdir()
    hydra = {"mode": "MULTIRUN", "overrides": {
        "task": ["a=1,2", "model=mlp"], "hydra": ["hydra.mode=MULTIRUN", "hydra.sweep.dir=x",
                                                  "hydra/launcher=joblib"]},
             "runtime": {"config_sources": [{"path": "/conf", "provider": "main"},
                                            {"path": "/own", "provider": "command-line"}]}}
    (record / "hydra.yaml").write_text(yaml.safe_dump({"hydra": hydra}))
    (record / "overrides.yaml").write_text(yaml.safe_dump(["a=1,2", "model=mlp"]))
    (record / "config.yaml").write_text(yaml.safe_dump({"a": 1, "sweep": {"metric": "m"}}))
    return tmp_path


def test_without_resume_a_command_line_is_itself() -> None:
    for words in (["-m", "a=1"], [], ["sweep.resume=null", "a=1"]):
        assert whole_command_line(words) == words


def test_the_directory_alone_says_everything(begun: Path) -> None:
    assert whole_command_line([f"sweep.resume={begun}"]) == [
        "--multirun", "--config-dir", "/own", "a=1,2", "model=mlp", "hydra/launcher=joblib",
        f"sweep.resume={begun}", f"hydra.sweep.dir='{begun}'"]


def test_what_is_said_again_is_said_once(begun: Path) -> None:
    words = ["-m", "--config-dir=/mine", "a=1,2", "sweep.on_failure=stop", f"sweep.resume={begun}"]
    assert whole_command_line(words) == [
        "-m", "model=mlp", "hydra/launcher=joblib", *words[1:], f"hydra.sweep.dir='{begun}'"]


def test_a_directory_without_a_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no sweep was begun there"):
        whole_command_line([f"sweep.resume={tmp_path}"])


@pytest.mark.parametrize(
    ("overrides", "config", "told"),
    [
        (["a=1,2", "model=mlp"], {"a": 1, "sweep": {}}, None),
        (["a=1,2", "model=mlp", "sweep.on_failure=stop", "runtime.platform=cpu"],
         {"a": 1, "runtime": {"platform": "cpu"}, "notes": "x"}, None),
        (["a=1,3", "model=mlp"], {"a": 1}, "+a=1,3"),
        (["model=mlp", "a=1,2"], {"a": 1}, "+model=mlp"),   # jobs would be numbered otherwise
        (["a=1,2", "model=mlp"], {"a": 2}, "+a: 2"),
    ],
)
def test_a_changed_sweep_is_refused_with_the_difference(
    begun: Path, overrides: list[str], config: dict[str, object], told: str | None
) -> None:
    records = {"config.yaml": yaml.safe_dump(config)}
    if told is None:
        require_same(begun, records, overrides)
        return
    with pytest.raises(ConfigError) as caught:
        require_same(begun, records, overrides)
    assert told in str(caught.value)


def test_what_was_never_begun_cannot_have_changed(tmp_path: Path) -> None:
    require_same(tmp_path / "7", {"config.yaml": "a: 1"}, ["a=1"])
