"""`run.py` on a terminal of its own, as somebody sits before it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

from command_line import environment
from configured import ROOT


def run_on_terminal(home: Path, *words: str, columns: int = 120, **extra: str) -> tuple[int, str]:
    """The exit code, and everything that the terminal was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {**environment(home), "TERM": "xterm-256color", **extra}
    for name in ("COLUMNS", *({"NO_COLOR", "FORCE_COLOR"} - set(extra))):
        given.pop(name, None)
    process = subprocess.Popen([sys.executable, str(ROOT / "run.py"), *words], cwd=home, env=given,
                               stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    sent = b""
    while chunk := _read(ours):
        sent += chunk
    os.close(ours)
    return process.wait(), sent.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:      # EIO: nobody writes to it any more
        return b""
