"""Every block of docs/scopes.md runs, and prints what it says that it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline import scopes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scopes.md"


def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 8
    scopes.reset_default_store()
    names: dict[str, Any] = {}
    for block in blocks:
        expected = re.findall(r"^\s*print\(.*\)  # (.*)$", block, re.MULTILINE)
        exec(compile(block, str(PAGE), "exec"), names)
        assert capsys.readouterr().out.splitlines() == expected, block
    scopes.reset_default_store()
