"""Wheels and environments as users have them: nothing of the checkout is on their path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from configured import ROOT
from packaging.requirements import Requirement

SOURCES = ("pipeline", "jaxfrost", "hydra_plugins", "conf", "pyproject.toml", "setup.py",
           "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE", "constraints.txt", "run.py")
BUILD = """
import sys, setuptools.build_meta as backend
made = sys.argv[1]    # the backend sets sys.argv
backend.build_sdist(made); backend.build_wheel(made)
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a directory to work in that holds nothing of ours."""

    place: Path
    here: Path

    def run(self, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`bin/COMMAND` in the empty directory; anything but `code` is a failure."""
        program, *words = command
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        finished = subprocess.run(
            [self.place / "bin" / program, *words], cwd=self.here, capture_output=True, text=True,
            check=False, env={**clean, "JAXFROST_CACHE": str(self.here / "cache")})
        assert finished.returncode == code, finished.stdout + finished.stderr
        return finished

    @property
    def packages(self) -> Path:
        """Where it has its packages."""
        return next(self.place.glob("lib/python*/site-packages"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the sdist of this checkout."""
    sources = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, sources / name,
                            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(origin, sources / name)
    made = tmp_path_factory.mktemp("built")
    finished = subprocess.run([sys.executable, "-c", BUILD, made], cwd=sources, check=False,
                              capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Package would be ignored" not in finished.stderr
    return made


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel of this checkout."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel in an environment that borrows what it needs from the one of the tests."""
    environment = _create(wheel, tmp_path_factory)
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (environment.packages / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    return environment


@pytest.fixture(scope="session")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel beside the packages that it requires without extras, and no others."""
    environment = _create(wheel, tmp_path_factory)
    own = metadata.PathDistribution(next(environment.packages.glob("jaxfrost-*.dist-info")))
    for requirement in map(Requirement, own.requires or ()):
        if requirement.marker is None:
            _lend(requirement.name, environment)
    return environment


def _create(wheel: Path, factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(factory.mktemp("environment"), factory.mktemp("empty"))
    venv.create(environment.place, symlinks=True)
    python = environment.place / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet",
                    "--no-index", "--no-deps", wheel], check=True, capture_output=True)
    return environment


def _lend(distribution: str, environment: Environment) -> None:
    found = metadata.distribution(distribution)
    for name in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
        (environment.packages / name).symlink_to(Path(str(found.locate_file(name))).resolve())
