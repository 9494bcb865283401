"""`run.py` as its users start it, in a process and a directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configured import ROOT

SMALL = ("trainer.epochs=2", "trainer.interval=4", "model.scopes.layer1.units=8")

# Runs run.py and afterwards says which of the modules named in WANTED it had imported. With
# SIGNAL=NAME:STEP it sends itself that real signal as soon as the log tells of the step.
WRAPPER = """
import atexit, json, logging, os, runpy, signal, sys
root, wanted = sys.argv[1], json.loads(os.environ["WANTED"])
name, step = os.environ.get("SIGNAL", ":").split(":")
signal.signal(signal.SIGINT, signal.default_int_handler)   # in the background it is ignored
sys.argv = [root + "/run.py", *sys.argv[2:]]
sys.path.insert(0, root)
def tell():
    with open(os.environ["TOLD"], "w") as file:
        json.dump([name for name in wanted if name in sys.modules], file)
def send(record):
    if record.getMessage().startswith(f"step {step}/"):
        os.kill(os.getpid(), getattr(signal, name))
    return True
if step:
    logging.getLogger("pipeline.train.progress").addFilter(send)
atexit.register(tell)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    code: int
    out: str
    err: str
    imported: list[str]


def environment(home: Path) -> dict[str, str]:
    """Everything that the program may write outside of its run lies in `home`."""
    return {
        **os.environ, "JAXFROST_CACHE": str(home / "cache"), "HOME": str(home),
        "PYTHONPATH": str(ROOT / "tests"), "COLUMNS": "200",
    }


def run(home: Path, *words: str, signal: str = ":") -> Finished:
    """`python run.py WORDS` in the directory `home`; `signal` such as "SIGTERM:12", at step 12."""
    told = home / "told.json"
    extra = {"WANTED": json.dumps(["tensorflow", "jax", "keras"]), "TOLD": str(told),
             "SIGNAL": signal}
    finished = subprocess.run(
        [sys.executable, "-c", WRAPPER, str(ROOT), *words], cwd=home, check=False,
        env=environment(home) | extra, capture_output=True, text=True,
    )
    imported = json.loads(told.read_text())
    return Finished(finished.returncode, finished.stdout, finished.stderr, imported)


def metrics(directory: Path) -> dict[str, Any]:
    """A finished run's figures."""
    record: dict[str, Any] = json.loads((directory / "metrics.json").read_text())
    return record


def files(directory: Path) -> set[str]:
    """Every file below a directory, by relative name."""
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}
