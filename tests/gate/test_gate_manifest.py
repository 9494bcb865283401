"""The manifest proves a run whole, and names what is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline import gate
from pipeline.gate.manifest import ManifestError
from pipeline.runs import RecordError


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


def test_a_log_may_grow_and_not_change(run: Path) -> None:
    log = run / "run.log"
    log.write_text("step 1\n")
    gate.write_manifest(run)
    log.write_text("step 1\nfinished before; skipped\n")
    gate.require_manifest(run)
    for damaged in ("step 2\nfinished before; skipped\n", "step"):
        log.write_text(damaged)
        with pytest.raises(ManifestError, match=r"run\.log"):
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


def test_a_sweep_is_whole_when_each_of_its_runs_is(tmp_path: Path) -> None:
    for name in ("0", "1/seed-0"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "report.html").write_text(name)
        gate.write_manifest(tmp_path / name)
    (tmp_path / "1" / "run.log").write_text("log")
    gate.write_manifest(tmp_path)
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert written["runs"] == ["0", "1/seed-0"]
    assert [file["path"] for file in written["files"]] == ["1/run.log"]
    gate.require_manifest(tmp_path)
    (tmp_path / "1" / "seed-0" / "gate.json").write_text("judged again")
    gate.write_manifest(tmp_path / "1" / "seed-0")
    gate.require_manifest(tmp_path)
    (tmp_path / "1" / "seed-0" / "report.html").write_text("damaged")
    with pytest.raises(ManifestError, match=r"seed-0: not as the run left it"):
        gate.require_manifest(tmp_path)
    shutil.rmtree(tmp_path / "0")
    with pytest.raises(ManifestError, match=r"/0: no manifest\.json in it"):
        gate.require_manifest(tmp_path)


@pytest.mark.parametrize("content", [None, "{", "{}", '{"files": [{}]}', '{"files": 3}',
                                     '{"files": []}', '{"files": [], "runs": 3}'])
def test_without_a_manifest_there_is_no_proof(run: Path, content: str | None) -> None:
    (run / "manifest.json").unlink()
    if content is not None:
        (run / "manifest.json").write_text(content)
    with pytest.raises((ManifestError, RecordError)):
        gate.require_manifest(run)
