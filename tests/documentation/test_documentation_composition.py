"""Every `python run.py …` that is written down composes, also where no test can run it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from configured import ROOT, configured
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from pipeline import tasks

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")),
         *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
         *sorted((ROOT / "conf").rglob("*.yaml"))]
# In a line of its own up to its comment, in a workflow's step, in backquotes; joined lines are one.
WRITTEN = [re.compile(r"^(?:- run: )?python run\.py(.*?)(?:\s+#.*)?$"),
           re.compile(r"^# python run\.py(.*?)(?:: .*|:|\s+\(.*|\s+#.*)?$"),
           re.compile(r"`python run\.py(.*?)`")]


def commands(page: Path) -> list[str]:
    """What follows `python run.py`, each once, in order."""
    lines = page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = [match.group(1).strip() for line in lines for pattern in WRITTEN
             for match in pattern.finditer(line.strip())]
    return [text for text in dict.fromkeys(found) if not re.search(r"^…$|<| \.\.\.|model=…", text)]


def overrides(command: str) -> list[Override]:
    """Of a command as it is written: `…` stands for any path, `[key=value]` is what may follow."""
    options = ("-m", "--cfg", "job", "--help", "--info", "defaults")
    words = [word for word in shlex.split(command.replace("…", "PATH")) if word not in options]
    return list(OverridesParser.create().parse_overrides([word.strip("[]") if word[0] == "["
                                                          else word for word in words]))


def first_of(override: Override) -> str:
    """What the first job of a sweep is given."""
    if not override.is_sweep_override():
        return str(override.input_line)
    if override.is_interval_sweep():
        return f"{override.get_key_element()}={override.value().start}"
    return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"


@cache
def compose(*words: str) -> object:
    """The options that a command gives its task, which must take all that it is given."""
    chosen = [word.partition("=")[2] for word in words if word.startswith("task=")]
    tasks.refuse_others(chosen[0] if chosen else "train", words)
    return configured(*words)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_composes(page: Path) -> None:
    for command in commands(page):
        words = [first_of(one) for one in overrides(command)]
        try:
            compose(*words)
        except Exception as error:
            raise AssertionError(f"python run.py {command}: {error}") from error


def test_commands_are_found_where_they_are_written() -> None:
    def in_page(name: str) -> Iterator[str]:
        yield from commands(ROOT / name)

    assert "dataset=mnist dataset.directory=DIR" in in_page("docs/commands.md")
    assert "-m optimizer.learning_rate=0.05,0.1 seed=0,1,2" in in_page("docs/commands.md")
    assert "task=serve run=outputs/…" in in_page("conf/task/serve.yaml")
    assert "experiment=nightly hydra.run.dir=outputs/nightly" in in_page(
        ".github/workflows/nightly.yml")
    assert any("run=outputs/worse/seed-0" in one and "max_drop" in one
               for one in in_page("docs/gates.md")), "lines that go on are joined"
    assert sum(len(commands(page)) for page in PAGES) > 60
