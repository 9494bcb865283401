"""docs/development.md says where to change one thing: every place that it names is there."""

from __future__ import annotations

import re

import pytest
from configured import ROOT

PAGE = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines()
        if line.startswith("| ") and "`" in line and not line.startswith("| to …")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_place_exists(row: str) -> None:
    quoted = re.findall(r"`([^`]+)`", row)
    places = [ROOT / one for one in quoted if "/" in one and " " not in one and "NAME" not in one]
    assert places, "a row names at least one place"
    for place in places:
        assert place.exists(), f"{place} is named in docs/development.md"
    text = "".join(path.read_text(encoding="utf-8") for place in places
                   for path in ([place] if place.is_file() else place.glob("*.py")))
    for name in (one for one in quoted if one.isupper()):
        assert re.search(rf"^{name}\b", text, re.MULTILINE), f"{name} is in none of {places}"


def test_tables_have_no_second_copy() -> None:
    """Each registry is filled in one file."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "pipeline").rglob("*.py")}
    for name in ("KINDS",):
        filled = [path for path, text in sources.items()
                  if re.search(rf"^{name}(: [^=\n]+)? = [\[({{]", text, re.MULTILINE)]
        assert len(filled) == 1, f"{name}: {filled}"
