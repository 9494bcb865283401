"""What `pip install 'jaxfrost[train]'` gives in a directory that knows nothing of the checkout."""

from __future__ import annotations

import json
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from configured import CONF, ROOT
from install_environments import Environment

MINE = """# @package _global_
defaults:
  - override /model: softmax
  - override /gate: none
  - override /persistence: tf_checkpoint
trainer: {epochs: 1}
seed: 7
"""


def test_both_archives_hold_the_whole_tree_of_configuration(built: Path) -> None:
    tree = {str(path.relative_to(CONF)) for path in CONF.rglob("*.yaml")}
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        names = archive.namelist()
    assert {name.removeprefix("pipeline/conf/") for name in names
            if name.startswith("pipeline/conf/")} == tree
    with tarfile.open(next(built.glob("*.tar.gz"))) as sources:
        kept = {name.partition("/")[2] for name in sources.getnames()}
    assert {f"conf/{name}" for name in tree} <= kept
    assert {"setup.py", "run.py", "CHANGELOG.md", "LICENSE"} <= kept


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    wanted = {str(path.relative_to(ROOT)) for name in ("pipeline", "jaxfrost", "hydra_plugins")
              for path in (ROOT / name).rglob("*")
              if path.is_file() and "__pycache__" not in path.parts}
    with zipfile.ZipFile(wheel) as archive:
        assert wanted <= set(archive.namelist())


@pytest.mark.parametrize("command", [
    ("jaxfrost",), ("python", "-m", "pipeline"), ("python", "-m", "jaxfrost")], ids=" ".join)
def test_the_version_is_the_metadata_s(installed: Environment, command: tuple[str, ...]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert installed.run(*command, "--version").stdout == f"jaxfrost {version}\n"


def test_a_user_s_own_experiment_trains_and_is_looked_into(installed: Environment) -> None:
    own = installed.here / "conf" / "experiment"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text(MINE)
    assert "mine" in installed.run("jaxfrost", "--help").stdout
    installed.run("jaxfrost", "experiment=mine", "hydra.run.dir=out")
    run = installed.here / "out"
    assert (run / "report.html").is_file()
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["seed"] == 7
    command = (run / ".hydra" / "command.txt").read_text()
    # the environment is not active, so that the bare name would not be found
    assert command == f"{installed.place}/bin/jaxfrost experiment=mine\n"
    prefix = str(next(run.glob("*.index")).with_suffix(""))
    assert "softmax/weights" in installed.run("jaxfrost", "task=inspect", f"path={prefix}").stdout


def test_a_directory_is_named_on_the_command_line(installed: Environment) -> None:
    own = installed.here / "elsewhere" / "experiment"
    own.mkdir(parents=True)
    (own / "other.yaml").write_text(MINE)
    told = installed.run("python", "-m", "pipeline", "--config-dir", "elsewhere",
                         "experiment=other", "--cfg", "job").stdout
    assert "seed: 7" in told


def test_types_of_the_door_are_seen_by_a_checker(installed: Environment) -> None:
    program = installed.here / "program.py"
    program.write_text("import jaxfrost\nreveal_type(jaxfrost.CheckpointReader('m'))\n"
                       "reveal_type(jaxfrost.latest_checkpoint('.'))\n")
    told = installed.run("python", "-m", "mypy", "--strict", "program.py").stdout
    assert 'Revealed type is "pipeline.checkpoint.reader.CheckpointReader"' in told
    assert 'Revealed type is "str | None"' in told
