"""The reference of the API is that of the door, and can be built."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from configured import ROOT

import jaxfrost

REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.parametrize("room", [room for room in jaxfrost.NAMES if room not in ("errors",)])
def test_a_page_has_every_name_of_the_door(room: str) -> None:
    page = (REFERENCE / f"{room}.md").read_text(encoding="utf-8")
    listed = re.findall(rf"^::: pipeline\.{room}\.(\w+)$", page, re.MULTILINE)
    names = sorted(jaxfrost.NAMES[room], key=str.lower)
    assert listed == [jaxfrost.RENAMED.get(name, name) for name in names]


def test_the_site_builds(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert finished.returncode == 0, finished.stderr
    page = (tmp_path / "reference" / "checkpoint" / "index.html").read_text(encoding="utf-8")
    assert 'id="pipeline.checkpoint.CheckpointReader"' in page
    assert "Parameters:" in page
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?://', page)
