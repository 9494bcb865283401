"""`--help` answers without paying for JAX."""

from __future__ import annotations

import subprocess
import sys

from configured import CONF, ROOT


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
    assert max(map(len, finished.stdout.splitlines())) <= 120
    assert "outputs/" in finished.stdout


def test_the_short_way_says_what_hydra_would() -> None:
    short, whole = (
        subprocess.run([sys.executable, "run.py", "--help", *words], cwd=ROOT, capture_output=True,
                       text=True, check=True).stdout
        for words in ([], ["task=train"])    # with another word Hydra composes, and prints
    )
    assert short == whole
