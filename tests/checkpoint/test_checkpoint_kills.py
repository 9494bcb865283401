"""SIGKILL at random moments to processes that save, one or two of them in a directory."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checkpoint_cases import cases
from checkpoint_victim import versioned

from pipeline.checkpoint import CheckpointReader, Saver, get_checkpoint_state, latest_checkpoint

Victim = Callable[..., int]  # (directory, name, "steps" or "same") → process id
HERE = Path(__file__).parent


@pytest.fixture
def victim() -> Iterator[Victim]:
    """Starts a saving process; gives its id."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
    with subprocess.Popen([sys.executable, str(HERE / "checkpoint_victim.py")], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def start(directory: Path, name: str, how: str = "steps") -> int:
            server.stdin.write(f"{directory} {name} {how}\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield start
        server.stdin.close()


def check(directory: Path) -> int:
    """The newest version; everything that is there or listed is whole."""
    newest = 0
    for path in directory.glob("*.index"):
        reader = CheckpointReader(str(path).removesuffix(".index"))
        version = int(reader["version"])
        assert (reader["large"] == version).all()
        assert (reader["more"] == version).all()
        newest = max(newest, version)
    state = get_checkpoint_state(directory)
    if state is not None:
        assert latest_checkpoint(directory) == state.model_checkpoint_path
        assert all(Path(f"{prefix}.index").exists() for prefix in state.all_model_checkpoint_paths)
    return newest


@pytest.mark.parametrize("names", [("m",), ("m", "m"), ("m", "other")], ids="+".join)
def test_random_kills(tmp_path: Path, victim: Victim, names: tuple[str, ...]) -> None:
    clock, longest = random.Random(len(names)), 5 * seconds_of_a_save(tmp_path)
    newest = check(tmp_path)
    for _ in range(-(-cases(42) // 3)):
        children = [victim(tmp_path, name) for name in names]
        time.sleep(clock.uniform(0, longest))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            wait_for(child)
        found = check(tmp_path)
        assert found >= newest or len(names) > 1
        newest = found
    Saver({"v": 1}).save(tmp_path / "last")
    assert not list(tmp_path.glob("*.tempstate*"))


def seconds_of_a_save(directory: Path) -> float:
    """How long the first one takes on this machine now, with a child's start allowed for."""
    start = time.perf_counter()
    for version in (1, 2):
        Saver(versioned(version)).save(directory / "m", global_step=version - 1)
    return time.perf_counter() - start


def wait_for(child: int) -> None:
    """Until the process has let go of its files."""
    for _ in range(2000):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.001)
    raise TimeoutError(child)


def test_reading_while_the_same_name_is_saved(tmp_path: Path, victim: Victim) -> None:
    """Whoever opens the checkpoint gets one version of it, whole, and keeps that."""
    Saver(versioned(0)).save(tmp_path / "m")
    child = victim(tmp_path, "m", "same")
    seen = set()
    try:
        while len(seen) < 20:
            reader = CheckpointReader(tmp_path / "m")
            version = int(reader["version"])
            assert (reader["large"] == version).all()
            assert (reader["more"] == version).all()
            seen.add(version)
    finally:
        os.kill(child, signal.SIGKILL)
        wait_for(child)
