from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from finished_run import finished_run
from PIL import Image

from pipeline.report import run_page as run_page_module
from pipeline.report import write


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_a_report_is_three_files_in_the_run_directory(tmp_path: Path) -> None:
    path = write(finished_run(), tmp_path)
    assert path == tmp_path / "report.html"
    assert files(tmp_path) == {"report.html", "curves.png",
                               "tensorboard/events.out.tfevents.jaxfrost"}
    with Image.open(tmp_path / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG"
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_without_training_there_are_no_curves(tmp_path: Path) -> None:
    write(finished_run(history=[]), tmp_path)
    assert "curves.png" not in files(tmp_path)


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(finished_run(), tmp_path / name)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    for name in files(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_failure_leaves_the_former_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(finished_run(), tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    def fail(*_: object) -> None:
        raise RuntimeError("no sections today")

    monkeypatch.setattr(run_page_module, "sections", fail)
    with pytest.raises(RuntimeError, match="no sections today"):
        write(finished_run(name="another"), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert len(files(tmp_path)) == 3


def test_tensorflow_is_never_imported_and_jax_not_by_the_room(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipeline.report import print_summary, write\n"
        "assert not {'jax', 'matplotlib'} & set(sys.modules)\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from finished_run import finished_run, RUN\n"
        "write(finished_run(), Path(sys.argv[2])); print_summary(finished_run(), RUN)\n"
        "assert 'tensorflow' not in sys.modules\n")
    subprocess.run([sys.executable, "-c", program, Path(__file__).parent, tmp_path],
                   check=True, capture_output=True, cwd=Path(__file__).parents[2])
