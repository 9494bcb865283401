"""`run.py` in a process of its own, with the compilations of each job counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from configured import ROOT

# The smallest run with every artefact, and without any.
WITH_ARTEFACTS = ("model=softmax", "trainer.epochs=1")
TINY = (*WITH_ARTEFACTS, "persistence=none")

# Says how many programs each run compiled that the cache did not have. With SIGNAL=NAME:STEP:JOB it
# sends itself a real signal as soon as job JOB's log tells of that step.
WRAPPER = """
import json, logging, os, runpy, signal, sys
root = sys.argv[1]
signal.signal(signal.SIGINT, signal.default_int_handler)   # in the background it is ignored
sys.argv = [root + "/run.py", *sys.argv[2:]]
sys.path.insert(0, root)
import jax
misses = [0]
def listen(name, **_):
    misses[0] += name.endswith("/cache_misses")
jax.monitoring.register_event_listener(listen)
from pipeline.sweep import execute
conduct, jobs = execute.conduct, []
def counting(run, *rest):
    jobs.append(run.job.number)
    before = misses[0]
    ended = conduct(run, *rest)
    print("COMPILED", json.dumps([run.job.number, misses[0] - before]), file=sys.stderr)
    return ended
execute.conduct = counting
name, step, job = os.environ.get("SIGNAL", "::").split(":")
def send(record):
    if jobs[-1:] == [int(job)] and record.getMessage().startswith(f"step {step}/"):
        os.kill(os.getpid(), getattr(signal, name))
    return True
if name:
    logging.getLogger("pipeline.train.progress").addFilter(send)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Finished:
    """A process that has ended; `compiled` has (job, programs not in the cache) in order."""

    code: int
    out: str
    err: str

    @property
    def compiled(self) -> list[tuple[int, int]]:
        """From the wrapper's lines."""
        found = [line for line in self.err.splitlines() if line.startswith("COMPILED ")]
        return [tuple(json.loads(line.removeprefix("COMPILED "))) for line in found]


def run(home: Path, *words: str, **environment: str) -> Finished:
    """`python run.py WORDS` in the directory `home`; what it caches is all tests'."""
    finished = subprocess.run(
        [sys.executable, "-c", WRAPPER, str(ROOT), *words], cwd=home, check=False,
        env=_environment(home) | environment, capture_output=True, text=True,
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr)


@contextmanager
def running(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The same, as it is used, under way; with all it started a process group, killed at the end.

    What it says is in the file `said`, not in a pipe that a killed one's workers would hold open.
    """
    with (home / "said").open("a+") as said, subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *words], cwd=home, env=_environment(home),
        start_new_session=True, stdout=said, stderr=said, text=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _environment(home: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    cache = str(home.parent / "cache-of-sweeps")   # pytest's directories of one session lie there
    return {**inherited, "JAXFROST_CACHE": cache, "HOME": str(home), "NO_COLOR": "1"}


def wait_until(true: Callable[[], bool]) -> None:
    """Fails when it takes two minutes."""
    last = time.monotonic() + 120
    while not true():
        assert time.monotonic() < last
        time.sleep(0.01)
