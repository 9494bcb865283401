"""The user's own configuration files, beside those that jaxfrost brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from configured import CONF, composed

from pipeline.config import ConfigError, tree

MINE = "# @package _global_\ndefaults:\n  - override /model: softmax\nseed: 7\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_of_the_working_directory_are_choices(here: Path) -> None:
    assert tree.own() == [here / "conf"]
    assert "mine" in tree.groups()["experiment"]
    assert composed("experiment=mine")["seed"] == 7


def test_our_own_tree_is_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONF.parent)
    assert tree.own() == []


@pytest.mark.parametrize(("words", "expected"), [
    (["--config-dir", "d", "a=1"], ["d"]), (["a=1", "-cd", "d"], ["d"]),
    (["--config-dir=d"], ["d"]), (["-m", "a=1,2"], []), (["--config-dir"], []), ([], []),
])
def test_the_directory_of_the_command_line(words: list[str], expected: list[str]) -> None:
    wanted = ["--config-dir", str(Path(expected[0]).resolve())] if expected else []
    assert tree.config_directory(words) == wanted


def test_a_name_that_is_taken_is_refused_where_it_is_chosen(here: Path) -> None:
    own = here / "conf" / "experiment" / "smoke.yaml"
    own.write_text((CONF / "experiment" / "smoke.yaml").read_text())
    tree.require_own_names(["experiment=smoke"])    # a copy means the same
    own.write_text(MINE)
    tree.require_own_names(["experiment=mine", "model=cnn", "seed=1"])
    with pytest.raises(ConfigError, match=r"experiment=smoke: conf/experiment/smoke.yaml has the"):
        tree.require_own_names(["-m", "+experiment=smoke"])
