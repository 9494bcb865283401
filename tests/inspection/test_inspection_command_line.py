"""The short way to task=inspect: what takes it, that it means the same, and what it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from configured import ROOT, configured

from pipeline.checkpoint import write_bundle
from pipeline.inspection.command_line import parse

SHORT = [
    ["task=inspect", "path=outputs/2026-11-23/09-15-02-3f9a2c/model.ckpt-390"],
    ["path=a.pb", "destination=graph.html", "task=inspect"],
    ["task=inspect", "path=./390", "inspect.json=true", "inspect.stats=false"],
    ["task=inspect", "path=m", "inspect.verify=true", "inspect.diff=other/m-5"],
    ["task=inspect", "path=m.meta", "field=saver_def"],
]
LONG = [
    ["task=inspect"], ["task=inspect", "path=null"], ["task=inspect", "path=390"],
    ["task=inspect", "path=1e5"], ["task=inspect", "path=a,b"], ["task=inspect", "path=${seed}"],
    ["task=inspect", "path='a b'"], ["task=inspect", "path="], ["task=inspect", "path=a", "path=b"],
    ["task=inspect", "path=m", "inspect.json=1"], ["task=inspect", "path=m", "inspect.jsn=true"],
    ["task=inspect", "path=m", "field=nodes"], ["task=inspect", "path=m", "seed=1"],
    ["task=inspect", "path=m", "inspect.batch=32"], ["task=inspect", "path=m", "-m"],
    ["task=inspect", "path=m", "+typo=1"], ["task=train", "path=m"], ["path=m"], ["--help"], [],
]


@pytest.mark.parametrize("words", SHORT, ids=" ".join)
def test_a_plain_command_line_means_what_hydra_makes_of_it(words: list[str]) -> None:
    request = parse(words)
    assert request is not None
    config = configured(*words)
    assert request == (config.path, config.destination, config.field, config.inspect)


@pytest.mark.parametrize("words", LONG, ids=" ".join)
def test_any_other_is_left_to_hydra(words: list[str]) -> None:
    assert parse(words) is None


def run(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words], cwd=home, capture_output=True, text=True,
        check=False, env={**os.environ, "JAXFROST_CACHE": str(home / "cache")})


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    write_bundle(tmp_path / "m", {"layer1/weights": np.ones((784, 500), np.float32)})
    return "m"


def test_both_ways_answer_alike(prefix: str, tmp_path: Path) -> None:
    (tmp_path / "m.index.bad").write_bytes((tmp_path / "m.index").read_bytes()[:-1])
    for path, code in ((prefix, 0), ("nope", 1), ("bad.pb", 4)):
        (tmp_path / "bad.pb").write_bytes(b"\xff\0\xff")
        short = run("task=inspect", f"path={path}", home=tmp_path)
        long = run("task=inspect", f"path={path}", "runtime.platform=auto", home=tmp_path)
        assert (short.returncode, short.stdout, short.stderr) == (
            long.returncode, long.stdout, long.stderr)
        assert short.returncode == code, short.stderr
        assert "Traceback" not in short.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {
        "m.index", "m.data-00000-of-00001", "m.index.bad", "bad.pb", "cache"}


def test_a_look_loads_neither_hydra_nor_pydantic_nor_jax(prefix: str, tmp_path: Path) -> None:
    program = (
        "import atexit, json, runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        "sys.path.insert(0, sys.argv[0].rpartition('/')[0])\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n")
    finished = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "run.py"), "task=inspect", f"path={prefix}"],
        cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "layer1/weights" in finished.stdout
    unwanted = {"hydra", "omegaconf", "pydantic", "yaml", "jax", "google.protobuf", "tensorstore",
                "pipeline.gate"}
    assert not unwanted & set(json.loads(finished.stderr))


PRINTING = {
    "short": ["run.py", "task=inspect", "path=m"],
    "long": ["run.py", "task=inspect", "path=m", "notes=x"],
    "model": ["run.py", "task=inspect", "model=softmax"],
    "plan": ["run.py", "task=restore_plan", "model=softmax", "path=m"],
    "configuration": ["run.py", "--cfg", "job"],
    "help": ["run.py", "--help"],
    "module": ["-m", "pipeline.checkpoint", "m"],
}


@pytest.mark.parametrize("words", PRINTING.values(), ids=list(PRINTING))
def test_a_reader_that_leaves_changes_nothing(
    prefix: str, tmp_path: Path, words: list[str]
) -> None:
    """As under `| head -0`: no traceback, and the exit code is the one with a reader."""
    words = [str(ROOT / word) if word == "run.py" else word for word in words]
    environment = {**os.environ, "JAXFROST_CACHE": str(tmp_path / "cache"),
                   "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *words]
    read = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, check=False)
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) == read.returncode
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
