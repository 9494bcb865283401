"""The pages that show Python programs: every block runs, and prints what it says that it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from configured import ROOT

from pipeline import scopes

MNIST = ROOT.parent / "shared" / "mnist"


@pytest.mark.parametrize("page", ["scopes.md", "tutorial.md"])
def test_a_page_s_blocks_in_one_go(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"),
                        re.DOTALL)
    assert len(blocks) >= 8
    monkeypatch.chdir(tmp_path)
    scopes.reset_default_store()
    names: dict[str, Any] = {}
    for block in blocks:
        if "read_data_sets" in block:
            if not MNIST.is_dir():
                continue   # tests do not download
            Path("data").symlink_to(MNIST)
        expected = re.findall(r"^\s*print\(.*\)  # (.*)$", block, re.MULTILINE)
        exec(compile(block, page, "exec"), names)
        printed = [line for line in capsys.readouterr().out.splitlines()
                   if not line.startswith("Extracting ")]
        assert printed == expected, block
    scopes.reset_default_store()
