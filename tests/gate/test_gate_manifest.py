"""The manifest proves a run whole, and names what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import gate
from pipeline.gate.manifest import ManifestError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "orbax" / "1").mkdir(parents=True)
    (tmp_path / ".hydra").mkdir()
    for name in ("report.html", "orbax/1/data", ".hydra/config.yaml", "empty"):
        (tmp_path / name).write_text("" if name == "empty" else name * 3)
    gate.write_manifest(tmp_path)
    return tmp_path


def test_every_file_is_listed_and_nothing_else(run: Path) -> None:
    listed = json.loads((run / "manifest.json").read_text())["files"]
    assert [file["path"] for file in listed] == [
        ".hydra/config.yaml", "empty", "orbax/1/data", "report.html"]
    assert all(file["bytes"] == (run / file["path"]).stat().st_size for file in listed)
    gate.require_manifest(run)


def test_written_again_it_lists_itself_as_little(run: Path) -> None:
    before = (run / "manifest.json").read_text()
    gate.write_manifest(run)
    assert (run / "manifest.json").read_text() == before


def test_what_came_later_is_no_damage(run: Path) -> None:
    (run / "later").write_text("x")
    gate.require_manifest(run)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_text("short"), "5 bytes, expected 33"),
        (lambda path: path.write_text("R" + path.read_text()[1:]), "its content has changed"),
    ],
)
def test_damage_is_named(run: Path, damage, told: str) -> None:  # type: ignore[no-untyped-def]
    damage(run / "report.html")
    with pytest.raises(ManifestError, match=f"report.html: {told}") as caught:
        gate.require_manifest(run)
    assert "orbax" not in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("content", [None, "{", "{}", '{"files": [{}]}', '{"files": 3}'])
def test_without_a_manifest_there_is_no_proof(run: Path, content: str | None) -> None:
    (run / "manifest.json").unlink()
    if content is not None:
        (run / "manifest.json").write_text(content)
    with pytest.raises(ManifestError):
        gate.require_manifest(run)
