"""Processes that save without end, to be killed.

Each line of input, `DIRECTORY NAME steps` or `DIRECTORY NAME same`, forks one and prints its id:
forking a small process costs less than starting one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.checkpoint import Saver


def versioned(version: int) -> dict[str, Any]:
    """Tensors that all tell the version."""
    return {"version": np.int64(version), "large": np.full(200_000, version),
            "more": np.full(3, version, np.float32)}


def save_forever(directory: Path, name: str, steps: bool) -> None:
    """Under one name, or with `steps` half of the time under that of another step."""
    saver = Saver(max_to_keep=3, meta_graph=lambda _: b"%d" % version)
    while True:
        version = time.monotonic_ns()
        saver.save(directory / name, global_step=version if steps and version % 2 else None,
                   variables=versioned(version))


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        where, what, how = line.split()
        if (child := os.fork()) == 0:
            save_forever(Path(where), what, how == "steps")
        print(child, flush=True)
