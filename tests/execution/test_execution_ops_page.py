"""The table of ops in docs/execution.md is the registry."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.execution import registry, supported_ops

PAGE = Path(__file__).resolve().parents[2] / "docs" / "execution.md"
BEGIN, END = "<!-- ops -->\n", "<!-- end of ops -->\n"


def table() -> str:
    """A row for each family of rules."""
    families: dict[str, list[str]] = {}
    for op in supported_ops():
        rule = registry.find(op)
        assert rule is not None
        families.setdefault(rule.function.__module__.rpartition(".")[2], []).append(f"`{op}`")
    rows = [f"| {family.replace('_', ' ')} | {' '.join(ops)} |\n"
            for family, ops in sorted(families.items())]
    return f"{len(supported_ops())} ops:\n\n| family | ops |\n|---|---|\n{''.join(rows)}"


def test_the_page_lists_every_op() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = re.search(f"{BEGIN}(.*?){END}", page, re.DOTALL)
    assert found is not None
    assert found[1] == table(), "write it anew: python tests/execution/test_execution_ops_page.py"
    assert len(supported_ops()) >= 250


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
