"""One attack: how it is made, the command it waits for, what must be answered, and who watches."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from configured import ROOT

SECRET = "the-value-of-a-secret-variable"
PRECIOUS = "a file of the user's, as it was"
WATCHED = Path(__file__).with_name("watched.py")


@dataclass(frozen=True)
class Attack:
    """A row of a table; `{}` in words is the directory of the stranger's files, `theirs`."""

    name: str
    make: Callable[[Path], None]     # puts the stranger's files into that directory
    words: Sequence[str]             # the user's command line
    answered: str = ""               # a pattern in standard error, or with code 0 in the output
    code: int = 1
    writes: Sequence[str] = ()       # below the home, what may be written: besides outputs, cache
    memory: int = 12 << 30           # bytes of address space: JAX alone maps several GiB
    seconds: int = 120               # of processor time

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Answer:
    """What the child said and did."""

    code: int
    out: str
    err: str
    wrote: list[str]      # paths that it opened for writing, made, renamed or removed
    acted: list[str]      # processes started, connections made, stranger's modules run


def carry_out(attack: Attack, home: Path) -> Answer:
    """Makes the attack in an empty home, lets a child do as the user says, and judges the child."""
    theirs, mine = home / "theirs", home / "mine"
    theirs.mkdir()
    mine.mkdir()
    (mine / "precious.txt").write_text(PRECIOUS)
    attack.make(theirs)
    before = contents(home)
    answer = watched(attack, home)
    assert answer.code == attack.code, answer.err
    assert re.search(attack.answered, answer.err if attack.code else answer.out + answer.err), (
        answer.out + answer.err)
    assert "Traceback" not in answer.out + answer.err
    assert SECRET not in answer.out + answer.err
    assert answer.acted == []
    allowed = [home / "cache", home / "outputs", *(home / name for name in attack.writes)]
    outside = [path for path in answer.wrote
               if not any(Path(path).is_relative_to(each) for each in allowed)]
    assert outside == []
    after = contents(home)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert not {name for name in changed
                if not any((home / name).is_relative_to(each) for each in allowed)}
    return answer


def watched(attack: Attack, home: Path) -> Answer:
    """The child: `python -m pipeline WORDS` in the home, which it therefore imports from."""
    told = home.with_name(f"{home.name}-told.json")
    words = [word.replace("{}", str(home / "theirs")) for word in attack.words]
    environment = {
        **os.environ, "HOME": str(home), "JAXFROST_CACHE": str(home / "cache"), "SECRET": SECRET,
        "COLUMNS": "400", "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    finished = subprocess.run(
        [sys.executable, str(WATCHED), str(told), str(attack.memory), str(attack.seconds), *words],
        cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=500)
    saw = json.loads(told.read_text())
    return Answer(finished.returncode, finished.stdout, finished.stderr, saw["wrote"], saw["acted"])


def contents(home: Path) -> dict[str, bytes | str]:
    """Every file and link below, with its content or target; links are not followed."""
    found: dict[str, bytes | str] = {}
    for directory, _, names in os.walk(home):
        for path in (Path(directory, name) for name in names):
            found[str(path.relative_to(home))] = (
                os.readlink(path) if path.is_symlink()
                else path.read_bytes() if path.is_file() else "no file")
    return found
