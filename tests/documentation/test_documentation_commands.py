"""Commands and links in the documentation are true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from configured import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
BLOCK = re.compile(r"^<!-- run(?:: exit (\d+))? -->\n```(bash|python)\n(.*?)^```$",
                   re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^([^\n]*)\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- (run(: exit \d+)?|not run: \S.*) -->")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(exit code, language, text) of what is marked, in order."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(int(code or 0), language, text) for code, language, text in found]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_marked_commands_run(page: Path, tmp_path: Path) -> None:
    """One page's commands in one directory, in order, as a reader would type them."""
    for name in ("run.py", "conf"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "baselines", tmp_path / "baselines")    # they may be written anew
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                   "PYTHONPATH": str(ROOT)}
    for code, language, text in blocks(page):
        program = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" \
            else [sys.executable, "-c", text]
        finished = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True,
                                  text=True, check=False)
        assert finished.returncode == code, f"{page.name}:\n{text}\n{finished.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_mark_stands_before_a_block(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert len(blocks(page)) == sum(line.startswith("<!-- run") for line in lines)


@pytest.mark.parametrize("page", PAGES[1:], ids=NAMES[1:])
def test_every_command_is_run_or_says_why_not(page: Path) -> None:
    """In the README, which has to be short, commands are composed instead, see below."""
    silent = [text for before, text in COMMANDS.findall(page.read_text(encoding="utf-8"))
              if not MARK.fullmatch(before)]
    assert not silent, "set <!-- run -->, <!-- run: exit 3 --> or <!-- not run: why --> before it"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    missing = [target for target in LINK.findall(prose) if not (page.parent / target).exists()]
    assert not missing


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in sorted((ROOT / "docs").glob("*.md"))
               if page.name != "README.md" and f"({page.name})" not in index]
    assert not missing, "give each a row in docs/README.md"


def test_the_shell_completes_choices_and_keys() -> None:
    def ask(*words: str, line: str = "") -> str:
        return subprocess.run(
            [sys.executable, "run.py", "-sc", *words], cwd=ROOT, capture_output=True, text=True,
            check=True, env={**os.environ, "COMP_LINE": line, "COMP_POINT": str(len(line))}).stdout

    assert "-F hydra_bash_completion python" in ask("install=bash")
    assert "model=cnn" in ask("query=bash", line="python run.py model=").split()
    assert "trainer.epochs=" in ask("query=bash", line="python run.py trainer.").split()
