"""A process that saves without end, to be killed. Each line of input, a directory and a name, forks
one; its process id is printed. Forking a small process costs less than starting one.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.checkpoint import Saver, latest_checkpoint, load_variable


def versioned(version: int) -> dict[str, Any]:
    """Tensors that all tell the version."""
    return {"version": np.int64(version), "large": np.full(200_000, version),
            "more": np.full(3, version, np.float32)}


def save_forever(directory: Path, name: str) -> None:
    """Sometimes under the same name, sometimes under that of the next step."""
    latest = latest_checkpoint(directory)
    version = int(load_variable(latest, "version")) if latest else 0
    saver = Saver(max_to_keep=3, meta_graph=lambda _: b"%d" % version)
    while True:
        version += 1
        saver.save(directory / name, global_step=None if version % 2 else version // 2,
                   variables=versioned(version))


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        where, what = line.split()
        if (child := os.fork()) == 0:
            save_forever(Path(where), what)
        print(child, flush=True)
