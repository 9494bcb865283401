"""A run's directory is claimed by one run, and by none after it."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from configured import ROOT

from pipeline.config import ConfigError
from pipeline.config.run_directory import claim, hold

RECORDS = {"config.yaml": "seed: 0\n", "overrides.yaml": "[]\n"}


def test_the_claim_says_how_to_repeat_the_run(tmp_path: Path) -> None:
    overrides = ["seed=1", "notes=two words", "trainer.ema={decay: 0.9}"]
    claim(tmp_path / "a" / "b", RECORDS, overrides, resume=False)
    record = tmp_path / "a" / "b" / ".hydra"
    assert (record / "config.yaml").read_text() == "seed: 0\n"
    command = shlex.split((record / "command.txt").read_text())
    assert command == ["jaxfrost", *overrides]


def test_a_run_s_directory_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    claim(tmp_path, RECORDS, ["seed=1"], resume=False)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"already holds a run.*restore=auto") as refused:
        claim(tmp_path, {"config.yaml": "other"}, ["seed=2"], resume=False)
    assert str(tmp_path) in str(refused.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_resumed_run_keeps_the_first_record(tmp_path: Path) -> None:
    claim(tmp_path, RECORDS, ["seed=1"], resume=False)
    claim(tmp_path, {"config.yaml": "other"}, ["seed=1", "restore=auto"], resume=True)
    assert (tmp_path / ".hydra" / "config.yaml").read_text() == "seed: 0\n"


def test_resuming_what_never_began_begins(tmp_path: Path) -> None:
    claim(tmp_path, RECORDS, ["restore=auto"], resume=True)
    assert (tmp_path / ".hydra" / "command.txt").read_text() == "jaxfrost restore=auto\n"


def test_of_many_processes_exactly_one_gets_the_directory(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from pipeline.config.run_directory import claim\n"
        "directory, me, start = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])\n"
        "time.sleep(max(0.0, start - time.time()))\n"
        "try: claim(directory, {'owner': me}, [me], resume=False)\n"
        "except ValueError: sys.exit(3)\n"
    )
    start = time.time() + 2.0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "run"), str(me), str(start)], cwd=ROOT
        )
        for me in range(4)
    ]
    codes = [process.wait() for process in processes]
    assert sorted(codes) == [0, 3, 3, 3]
    owner = (tmp_path / "run" / ".hydra" / "owner").read_text()
    assert owner == str(codes.index(0))


def test_the_record_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="name"):
        claim(tmp_path, {"config.yaml": "seed: 0\n", "n" * 999: ""}, [], resume=False)
    assert not list(tmp_path.iterdir())
    (tmp_path / ".hydra").mkdir()    # as a process left it that was killed before it wrote
    claim(tmp_path, RECORDS, [], resume=False)
    assert (tmp_path / ".hydra" / "config.yaml").read_text() == "seed: 0\n"


def test_a_run_at_work_is_not_resumed_by_another_process(tmp_path: Path) -> None:
    claim(tmp_path, RECORDS, [], resume=False)
    program = (
        "import sys, time; from pathlib import Path\n"
        "from pipeline.config.run_directory import hold\n"
        "hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT,
                             stdout=subprocess.PIPE)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="another process is at work there"):
            hold(tmp_path)
    finally:
        other.kill()
        other.communicate()
    hold(tmp_path)   # a killed process leaves no lock behind
    hold(tmp_path)
