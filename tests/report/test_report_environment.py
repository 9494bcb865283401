from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.report import describe_environment, git_revision


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(["git", *identity, *arguments], cwd=directory, check=True,
                          capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "tracked.py").write_text("1\n")
    git(tmp_path, "add", "tracked.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "stray.py").write_text("2\n")
    return tmp_path


def test_the_environment_says_what_made_the_run() -> None:
    found = describe_environment(7, "TFRT_CPU_0", "python run.py seed=7")
    assert found["command"] == "python run.py seed=7"
    assert (found["seed"], found["device"]) == ("7", "TFRT_CPU_0")
    assert found["jax"] == metadata.version("jax")
    assert {"python", "flax", "jaxfrost", "git revision", "system"} <= set(found)


def test_the_revision_tells_clean_from_changed(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    assert git_revision(checkout / "tracked.py") == commit
    (checkout / "tracked.py").write_text("3\n")
    assert git_revision(checkout / "tracked.py") == f"{commit}+"


def test_a_file_that_only_lies_in_a_checkout_has_no_revision(checkout: Path) -> None:
    assert git_revision(checkout / "stray.py") == "unknown"


def test_without_git_the_revision_is_unknown(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert git_revision(checkout / "tracked.py") == "unknown"
    assert git_revision(Path("/nonexistent/file.py")) == "unknown"


def test_a_clone_that_was_never_installed_still_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert describe_environment(0, "cpu", "")["jaxfrost"] == "not installed"
