"""A child under attack: `watched.py TOLD MEMORY SECONDS WORDS…` runs `python -m pipeline WORDS`.

An audit hook notes what Python opens for writing and what acts; what other code writes is seen by
comparing the file system before and after (`attack.contents`). The stranger's code, if it ever
runs, says so by importing `attack_marker`.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import sys
from pathlib import Path
from typing import Any

told, memory, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wrote: list[str] = []
acted: list[str] = []
# As the interpreter's own start leaves them, these are ours: pipes and devices.
FREE = ("/dev/", "/proc/")
PLACES = {"os.remove": [0], "os.rename": [0, 1], "os.mkdir": [0], "os.rmdir": [0],
          "os.symlink": [1], "os.link": [1], "os.truncate": [0], "os.chmod": [0],
          "shutil.rmtree": [0]}
ACTS = {"os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect"}
GRANTED = {"uname"}     # platform asks it for the processor's name


def note(path: Any) -> None:
    if isinstance(path, int):
        return
    where = os.path.abspath(os.fsdecode(path))
    if not where.startswith(FREE):
        wrote.append(where)


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and arguments[0] is not None:
        path, mode, flags = arguments
        writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if (set(mode) & set("wax+") if isinstance(mode, str) else writing):
            note(path)
    elif event in PLACES:
        for position in PLACES[event]:
            if event != "os.mkdir" or not os.path.isdir(arguments[position]):   # or it only asks
                note(arguments[position])
    elif event in ACTS:
        name = str(arguments[0])
        if Path(name).name not in GRANTED:
            acted.append(f"{event}: {arguments!r}")
    elif event == "import" and arguments[0] == "attack_marker":
        acted.append("the stranger's code ran")


def tell() -> None:
    sys.dont_write_bytecode = True
    saw = {"wrote": list(wrote), "acted": list(acted)}
    Path(told).write_text(json.dumps(saw))


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    limit()
    atexit.register(tell)
    sys.path[0] = ""          # as `python -m` has it: the working directory
    sys.argv = ["pipeline", *sys.argv[4:]]
    sys.addaudithook(hook)
    runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
