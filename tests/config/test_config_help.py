"""What the command line answers without paying for JAX, and how it is put in order for Hydra."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
from configured import CONF, ROOT
from hydra._internal.utils import get_args_parser

from pipeline.usage import options_first


def test_help_lists_groups_and_choices_and_imports_no_jax() -> None:
    program = (
        "import atexit, sys; sys.argv = ['run.py', '--help']\n"
        "atexit.register(lambda: print(sorted({'jax', 'optax', 'tensorflow', 'pydantic', 'hydra'} "
        "& set(sys.modules)), file=sys.stderr))\n"
        "import runpy; runpy.run_path('run.py', run_name='__main__')\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.strip() == "[]", "--help should import none of these"
    for directory in sorted(path for path in CONF.iterdir() if path.is_dir()):
        if directory.name != "hydra":
            choices = ", ".join(sorted(path.stem for path in directory.glob("*.yaml")))
            assert f"{directory.name}: {choices}" in finished.stdout
    listed = [line for line in finished.stdout.splitlines() if not line.startswith("optimizer: ")]
    assert max(map(len, listed)) <= 120, "but for the optimizers, which Hydra puts in one line"
    assert "outputs/" in finished.stdout


def test_the_short_way_says_what_hydra_would() -> None:
    short, whole = (
        subprocess.run([sys.executable, "run.py", "--help", *words], cwd=ROOT, capture_output=True,
                       text=True, check=True).stdout
        for words in ([], ["task=train"])    # with another word Hydra composes, and prints
    )
    assert short == whole


def test_the_version_is_ours() -> None:
    asked = subprocess.run([sys.executable, "-X", "importtime", "run.py", "--version"], cwd=ROOT,
                           capture_output=True, text=True, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert asked.stdout == f"jaxfrost {project['version']}\n"
    assert not {"jax", "hydra", "pydantic"} & {line.split()[-1] for line in
                                              asked.stderr.splitlines()}


@pytest.mark.parametrize(("given", "multirun", "cfg", "overrides"), [
    ("a=1 -m b=2,3", True, None, ["a=1", "b=2,3"]),
    ("-m a=1 ~b", True, None, ["a=1", "~b"]),
    ("a=1 --multirun", True, None, ["a=1"]),
    ("a=1 --cfg job b=2 -m c=3", True, "job", ["a=1", "b=2", "c=3"]),
    ("a=1 -c job --resolve b=2", False, "job", ["a=1", "b=2"]),
    ("a=1", False, None, ["a=1"]),
    ("", False, None, []),
])
def test_options_may_stand_between_overrides(
    given: str, multirun: bool, cfg: str | None, overrides: list[str]
) -> None:
    """Hydra's own parser is the judge."""
    parsed = get_args_parser().parse_args(options_first(given.split()))
    assert (parsed.multirun, parsed.cfg, parsed.overrides) == (multirun, cfg, overrides)


def test_an_option_without_its_value_is_left_to_hydra() -> None:
    assert options_first(["a=1", "--cfg"]) == ["a=1", "--cfg"]
    assert options_first(["a=1", "--typo", "b=2"]) == ["a=1", "--typo", "b=2"]
